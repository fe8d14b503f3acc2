//! The names and the MIME types of files.

/// How many bytes a name has at most, with its ending. The app takes 100 characters. Bytes are the strictest way to
/// count them, and file systems, which take 255 bytes, have room for a remark that people add.
pub const NAME_BYTES: usize = 100;
/// The name of a file whose own name leaves nothing.
const NAMELESS: &str = "file";
/// How many bytes the ending of a name has at most, with its dot. The endings of [`TYPES`] have five, and others in
/// use, such as `.properties`, eleven. What is longer is a part of the name that contains a dot.
const ENDING_BYTES: usize = 12;
/// The MIME type of a file whose ending says nothing.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The MIME types by the endings of names. Source: IANA, media types. An ending that people attach to incidents and that
/// is not here gets `application/octet-stream`, which every platform shows as a download.
const TYPES: [(&str, &str); 36] = [
    ("7z", "application/x-7z-compressed"),
    ("avi", "video/x-msvideo"),
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("eml", "message/rfc822"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("msg", "application/vnd.ms-outlook"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("pcap", "application/vnd.tcpdump.pcap"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tgz", "application/gzip"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
];

/// Returns a name that both sides and every file system take: without folders, without control characters and without
/// characters that file systems or shells treat specially, of at most [`NAME_BYTES`] bytes. Its ending stays.
pub fn safe_name(name: &str) -> String {
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let is_special = |letter: char| matches!(letter, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let letters = name.chars().filter(|letter| !is_hidden(*letter));
    let safe: String = letters.map(|letter| if is_special(letter) { '_' } else { letter }).collect();
    // A name that begins with a dot is hidden on some systems, and `..` is a folder.
    let safe = safe.trim().trim_start_matches('.').trim();
    if safe.is_empty() { NAMELESS.to_owned() } else { cut(safe) }
}

fn cut(name: &str) -> String {
    if name.len() <= NAME_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= ENDING_BYTES { ending } else { "" };
    let stem = &name[..name.floor_char_boundary(NAME_BYTES - ending.len())];
    format!("{stem}{ending}")
}

/// Returns the MIME type of a file by the ending of its name.
pub fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == ending).map_or(UNKNOWN_TYPE, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_into_no_folder_and_hides_nothing() {
        for (name, safe) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..\\boot.ini", "_boot.ini"),
            ("C:\\temp\\a.log", "C__temp_a.log"),
            ("a\u{0}b\n.txt", "ab.txt"),
            ("gpj.\u{202e}exe.pdf", "gpj.exe.pdf"),
            ("  ", "file"),
            ("...", "file"),
            (".profile", "profile"),
            ("Prüfbericht 3.docx", "Prüfbericht 3.docx"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let long = safe_name(&format!("{}.log", "ä".repeat(200)));
        assert!(long.len() <= NAME_BYTES && long.ends_with("ä.log"), "{long}");
        let odd = safe_name(&format!("a.{}", "b".repeat(200)));
        assert_eq!(odd.len(), NAME_BYTES);
        assert_eq!(safe_name(&"c".repeat(NAME_BYTES)).len(), NAME_BYTES);
    }

    #[test]
    fn the_type_follows_from_the_ending() {
        assert_eq!(content_type("a.PNG"), "image/png");
        assert_eq!(content_type("archive.tar.gz"), "application/gzip");
        assert_eq!(content_type("core.12345"), UNKNOWN_TYPE);
        assert_eq!(content_type("pdf"), UNKNOWN_TYPE);
    }

    #[test]
    fn the_endings_are_in_their_order_and_each_is_there_once() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
