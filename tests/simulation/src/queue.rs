//! The FIFO queue, with groups, deduplication, visibility, redelivery and a dead-letter queue; and the standard queue,
//! which has no groups and hands out each message after its delay.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

/// How long a deduplication id is remembered. Source: Amazon SQS, FIFO queues.
const DEDUPLICATION: SignedDuration = SignedDuration::from_mins(5);
/// How long a message that was received stays hidden.
pub const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);
/// How often a message is received before it goes to the dead-letter queue.
const RECEIVES: u32 = 7;

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its number in the queue.
    pub number: u64,
    /// Its group.
    pub group: String,
    /// Its text.
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    visible_at: Timestamp,
}

impl Message {
    /// Returns the receipt handle of the latest receive.
    pub fn receipt(&self) -> String {
        format!("{}/{}", self.number, self.receives)
    }
}

/// A queue with its dead-letter queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    messages: BTreeMap<u64, Message>,
    parked: Vec<Message>,
    seen: BTreeMap<String, Timestamp>,
    last: u64,
    held: bool,
    is_standard: bool,
}

/// Which of the world's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueName {
    /// The FIFO queue of hints.
    Hints,
    /// The standard queue of hints that are sent ahead.
    Wakes,
    /// The standard queue of transfers of files.
    Files,
}

impl Queue {
    /// Returns an empty standard queue.
    pub fn standard() -> Self {
        Self { is_standard: true, ..Self::default() }
    }

    /// Accepts a message for a standard queue and hands it out from `visible_at` on. Its group sets no order; it only
    /// names the link for those who look into the queue.
    pub fn send_later(&mut self, visible_at: Timestamp, group: String, body: String) {
        self.last += 1;
        let number = self.last;
        self.messages.insert(number, Message { number, group, body, receives: 0, visible_at });
    }

    /// Accepts a message, unless its deduplication id was seen in the last five minutes. Returns whether it was
    /// accepted.
    pub fn send(&mut self, now: Timestamp, deduplication: &str, group: String, body: String) -> bool {
        self.seen.retain(|_, at| now.duration_since(*at) < DEDUPLICATION);
        if self.seen.contains_key(deduplication) {
            return false;
        }
        self.seen.insert(deduplication.to_owned(), now);
        self.last += 1;
        let number = self.last;
        self.messages.insert(number, Message { number, group, body, receives: 0, visible_at: now });
        true
    }

    /// Hands out the first visible messages of each group, at most `most` of each. A group waits while one of its
    /// messages is hidden. Each message of a standard queue is a group of its own.
    pub fn receive(&mut self, now: Timestamp, most: usize) -> Vec<Vec<Message>> {
        if self.held {
            return Vec::new();
        }
        let mut received: Vec<Vec<Message>> = Vec::new();
        // The place of each group in `received`. `None` if no further message of the group may be handed out.
        let mut places: BTreeMap<String, Option<usize>> = BTreeMap::new();
        let mut exhausted = Vec::new();
        for message in self.messages.values_mut() {
            let order = if self.is_standard { message.number.to_string() } else { message.group.clone() };
            let place = places.entry(order).or_insert(Some(received.len()));
            let has_room = place.is_some_and(|place| received.get(place).is_none_or(|group| group.len() < most));
            let is_exhausted = has_room && message.visible_at <= now && message.receives >= RECEIVES;
            exhausted.extend(is_exhausted.then_some(message.number));
            if !has_room || message.visible_at > now || is_exhausted {
                *place = None;
                continue;
            }
            message.receives += 1;
            message.visible_at = now + VISIBILITY;
            match place.and_then(|place| received.get_mut(place)) {
                Some(group) => group.push(message.clone()),
                None => received.push(vec![message.clone()]),
            }
        }
        for number in exhausted {
            self.parked.extend(self.messages.remove(&number));
        }
        received
    }

    /// Returns when the next message becomes visible. Returns `None` if there is none or the queue is held.
    pub fn next_visible(&self) -> Option<Timestamp> {
        if self.held {
            return None;
        }
        let mut groups = BTreeSet::new();
        let first = self.messages.values().filter(|message| self.is_standard || groups.insert(message.group.as_str()));
        first.map(|message| message.visible_at).min()
    }

    /// Deletes a message that was handled.
    pub fn delete(&mut self, number: u64) {
        self.messages.remove(&number);
    }

    /// Makes a message visible at this moment, even if a worker is still handling it. Does not delay it.
    pub fn show(&mut self, number: u64, at: Timestamp) {
        if let Some(message) = self.messages.get_mut(&number) {
            message.visible_at = message.visible_at.min(at);
        }
    }

    /// Sets when the message of a receipt becomes visible. Returns `false` if the message is gone or was received again
    /// since.
    pub fn redeliver(&mut self, receipt: &str, at: Timestamp) -> bool {
        let message = self.messages.values_mut().find(|message| message.receipt() == receipt);
        message.map(|message| message.visible_at = at).is_some()
    }

    /// Sets whether the queue is held. A held queue hands out no messages, as if all workers were busy.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Returns the group of a message that waits or is being handled. Returns `None` if it is gone.
    pub fn group_of(&self, number: u64) -> Option<&str> {
        self.messages.get(&number).map(|message| message.group.as_str())
    }

    /// Returns how many messages wait or are being handled.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the groups of the messages that wait or are being handled.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.messages.values().map(|message| message.group.as_str())
    }

    /// Whether no message waits or is being handled.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns the messages in the dead-letter queue.
    pub fn parked(&self) -> &[Message] {
        &self.parked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn numbers(received: Vec<Vec<Message>>) -> Vec<Vec<u64>> {
        received.into_iter().map(|group| group.into_iter().map(|message| message.number).collect()).collect()
    }

    fn send(queue: &mut Queue, now: Timestamp, deduplication: &str, group: &str) -> bool {
        queue.send(now, deduplication, group.to_owned(), String::new())
    }

    #[test]
    fn a_group_waits_for_its_first_message() {
        let mut queue = Queue::default();
        for (deduplication, incident) in [("1", "a"), ("2", "a"), ("3", "b")] {
            assert!(send(&mut queue, START, deduplication, incident));
        }
        assert_eq!(numbers(queue.receive(START, 1)), [[1], [3]]);
        assert!(queue.receive(START, 1).is_empty(), "group a is being worked on");
        queue.delete(1);
        assert_eq!(numbers(queue.receive(START, 1)), [[2]]);
    }

    #[test]
    fn a_standard_queue_hands_out_each_message_after_its_delay() {
        let mut queue = Queue::standard();
        let second = SignedDuration::from_secs(1);
        for delay in [2, 1, 1] {
            queue.send_later(START + second * delay, "a".to_owned(), String::new());
        }
        assert!(queue.receive(START, 1).is_empty());
        assert_eq!(queue.next_visible(), Some(START + second));
        assert_eq!(numbers(queue.receive(START + second, 1)), [[2], [3]]);
        assert_eq!(numbers(queue.receive(START + second * 2, 1)), [[1]]);
    }

    #[test]
    fn several_messages_of_a_group_come_in_their_order() {
        let mut queue = Queue::default();
        for (deduplication, group) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "a")] {
            assert!(send(&mut queue, START, deduplication, group));
        }
        assert_eq!(numbers(queue.receive(START, 2)), [vec![1, 3], vec![2]]);
        assert!(queue.receive(START, 2).is_empty(), "message 4 waits for the others of its group");
    }

    #[test]
    fn a_deduplication_id_counts_for_five_minutes() {
        let mut queue = Queue::default();
        assert!(send(&mut queue, START, "1", "a"));
        queue.delete(1);
        assert!(!send(&mut queue, START, "1", "a"));
        assert!(send(&mut queue, START + DEDUPLICATION, "1", "a"));
    }

    #[test]
    fn a_message_comes_again_when_its_receiver_wants_it_to() {
        let mut queue = Queue::default();
        assert!(send(&mut queue, START, "1", "a"));
        let first: String = queue.receive(START, 1).iter().flatten().map(Message::receipt).collect();
        assert!(queue.redeliver(&first, START + SignedDuration::from_secs(2)));
        assert_eq!(queue.next_visible(), Some(START + SignedDuration::from_secs(2)));
        assert_eq!(queue.receive(START + SignedDuration::from_secs(2), 1).len(), 1);
        assert!(!queue.redeliver(&first, START), "it was received again since");
    }

    #[test]
    fn a_message_comes_again_and_is_parked_in_the_end() {
        let mut queue = Queue::default();
        assert!(send(&mut queue, START, "1", "a"));
        let mut now = START;
        for _ in 0..RECEIVES {
            assert_eq!(queue.receive(now, 1).len(), 1);
            assert!(queue.receive(now, 1).is_empty());
            now += VISIBILITY;
        }
        assert!(queue.receive(now, 1).is_empty());
        assert_eq!((queue.len(), queue.parked().len()), (0, 1));
    }
}
