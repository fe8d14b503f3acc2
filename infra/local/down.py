"""`make down`: stops exactly what `make up` started."""

import console
import processes
import up


def main() -> None:
    """Stops the stack, if there is one."""
    with processes.exclusive():
        stopped = up.take_down()
    if stopped:
        console.say(f"{console.paint('The stack is down', 'green')} after {console.elapsed():.1f} s.")
    else:
        console.say("Nothing was running.")


if __name__ == "__main__":
    console.run(main)
