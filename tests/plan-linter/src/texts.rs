//! The texts that go to AWS: their marks and their sizes.

use std::collections::BTreeSet;

use casebridge_core::{
    link::mark::{Mark, marks_in},
    support::{Effect, call::Call},
};

use crate::{Check, Linter, place};

/// The most bytes of a communication. Source: AWS Support API, `communicationBody`. Its limit is read in the strictest
/// way, as bytes.
const TEXT_BYTES: usize = 8_000;
/// The most bytes of a subject: the console's limit of 250 characters, read in the strictest way, as bytes.
const SUBJECT_BYTES: usize = 250;

pub(crate) fn check(linter: &mut Linter) {
    let (plan, link) = (linter.plan, &linter.pass.link);
    let mut drawn: BTreeSet<&Mark> = link.memory.conversation.marks.keys().collect();
    drawn.extend(link.memory.given_up_cases.iter().map(|given_up| &given_up.mark));
    drawn.extend(link.intent.iter().filter_map(|intent| intent.mark.as_ref()));
    for (index, effect) in plan.effects.iter().enumerate() {
        let (subject, body, mark) = match effect {
            Effect::Call(Call::OpenCase { request, mark, .. }) => (request.subject.as_str(), &request.body, mark),
            Effect::Call(Call::AddCommunication { body, mark, .. }) => ("", body, mark),
            _ => continue,
        };
        let here = || place(index, effect);
        linter.find_if(!drawn.insert(mark), Check::MarkUsedTwice, here);
        linter.find_if(subject.len() > SUBJECT_BYTES, Check::SubjectTooLong, here);
        linter.find_if(body.len() > TEXT_BYTES, Check::TextTooLong, here);
        let carried = marks_in(body);
        linter.find_if(!carried.contains(mark), Check::TextWithoutMark, here);
        linter.find_if(carried.iter().any(|other| other != mark), Check::ForeignMark, here);
    }
}
