//! What people do with files: on both sides, with equal names and equal contents, too large, of a refused type.

use casebridge_core::identifiers::IncidentId;
use jiff::SignedDuration;

use crate::{contents::FileBytes, random::Random, timeline::Place, world::World};

/// The names of files. Some come often, some lead out of a folder, and each side refuses one type.
const NAMES: [&str; 8] = [
    "log.txt",
    "log.txt",
    "log.txt",
    "screenshot.png",
    "../../etc/passwd",
    "Prüfbericht 3.docx",
    "setup.exe",
    "macro.vbs",
];
/// The size of a file that is too large for either side, in bytes. Nobody reads its content.
const TOO_LARGE: u64 = 157_286_401;
/// The size of a file that does not go into a set, in bytes.
const LARGE: u64 = 5_000_001;
/// The number from which the content is made that several files have.
const EQUAL_CONTENT: u64 = 7;
/// How long the instance checks a file for viruses at most, in seconds.
const MAXIMUM_CHECK_SECONDS: i64 = 600;

/// A file that a person has.
pub struct PersonsFile {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub content: FileBytes,
}

impl World {
    /// Returns a file as people have them.
    fn file(&mut self, random: &mut Random, most: u64) -> PersonsFile {
        self.memory.tokens += 1;
        let seed = if random.chance(150) { EQUAL_CONTENT } else { 1_000 + self.memory.tokens };
        let length = match random.below(1_000) {
            0..20 => 0,
            20..45 => TOO_LARGE,
            45..150 => LARGE,
            _ if seed == EQUAL_CONTENT => 64,
            _ => random.below(2_000) + 1,
        };
        let name: &'static str = random.pick::<&str>(&NAMES);
        PersonsFile { name, content: FileBytes::generated(length.min(most), seed) }
    }

    /// Lets somebody do something with a file, if it is possible now.
    pub fn do_file_deed(&mut self, random: &mut Random) {
        let (done, name) = match random.below(10) {
            0..5 => (self.attach_file(random), "attach a file"),
            5..9 => {
                let files = (0..=random.below(2)).map(|_| self.file(random, LARGE)).collect();
                (self.write_with_files(random, files), "write at AWS with files")
            }
            _ => (self.remove_file(random), "remove a file"),
        };
        if done {
            *self.tally.deeds.entry(name).or_default() += 1;
        }
    }

    /// An agent attaches a file to an incident. The instance may check it for viruses.
    fn attach_file(&mut self, random: &mut Random) -> bool {
        let ids: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        let Some(id) = ids.get(random.index(ids.len())) else { return false };
        let file = self.file(random, TOO_LARGE);
        let (now, number) = (self.servicenow_now(), self.number_of(id));
        let (name, bytes) = (file.name, file.content.length());
        self.note(Place::ServiceNow, || format!("{number}: abel.tuter attaches {name}, {bytes} bytes"));
        let sys_id = self.servicenow.attach(now, "abel.tuter", id, name, file.content);
        if random.chance(60) {
            let until = now + SignedDuration::from_secs(random.between(1, MAXIMUM_CHECK_SECONDS));
            let infected = random.chance(300);
            self.note(Place::ServiceNow, || format!("{name} is checked until {until:.0}, infected: {infected}"));
            self.servicenow.check_file(&sys_id, until, infected);
        }
        true
    }

    /// An agent removes one of the files of people.
    fn remove_file(&mut self, random: &mut Random) -> bool {
        let of_people: Vec<usize> = (0..self.servicenow.attachments.len())
            .filter(|place| !self.servicenow.attachments[*place].delivered)
            .collect();
        let Some(place) = of_people.get(random.index(of_people.len())) else { return false };
        let removed = self.servicenow.attachments.remove(*place);
        self.note(Place::ServiceNow, || format!("{} is removed", removed.file_name));
        self.memory.removed_files.push(removed);
        true
    }
}
