"""`make down`: stops exactly what `make up` started."""

import console
import up


def main() -> None:
    """Stops the stack, if there is one."""
    if up.take_down():
        console.say(f"{console.paint('The stack is down', 'green')} after {console.elapsed():.1f} s.")
    else:
        console.say("Nothing was running.")


if __name__ == "__main__":
    console.run(main)
