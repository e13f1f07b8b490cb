//! Bytes in: compressed or not, with a mark of byte order or not, and cut into lines.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

const BUFFER: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Counts the bytes that pass, where the owner of the reader cannot ask it any more.
pub(crate) struct Counted<'c, R> {
    reader: R,
    count: &'c Cell<u64>,
}

impl<'c, R: Read> Counted<'c, R> {
    pub(crate) fn new(reader: R, count: &'c Cell<u64>) -> Self {
        Self { reader, count }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.count.set(self.count.get() + n as u64);
        Ok(n)
    }
}

/// The text in a reader: decompressed where it begins as gzip does (of any number of members), and without a
/// byte-order mark.
pub(crate) fn text<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let (head, reader) = with_head::<2>(reader)?;
    let zipped = head == GZIP;
    let reader = BufReader::with_capacity(BUFFER, reader);
    if zipped { unmarked(MultiGzDecoder::new(reader)) } else { unmarked(reader) }
}

fn unmarked<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let (head, mut reader) = with_head::<3>(reader)?;
    if head == BYTE_ORDER_MARK {
        reader.read_exact(&mut [0; 3])?;
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER, reader)))
}

/// The first bytes of a reader, as far as there are so many, and a reader that begins with them again.
fn with_head<const N: usize>(mut reader: impl Read) -> io::Result<(Vec<u8>, impl Read)> {
    let mut head = Vec::with_capacity(N);
    reader.by_ref().take(N as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// What came instead of a next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It is in the buffer, without its end.
    Read,
    /// It has more bytes than are taken, and was passed over.
    TooLong,
    /// There is none.
    End,
}

/// Reads the next line into the buffer, which never grows beyond `limit` and a few bytes.
pub(crate) fn next_line(reader: &mut dyn BufRead, buffer: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    buffer.clear();
    // Room for the line's end, so that a line of exactly `limit` bytes is taken.
    let mut limited = reader.take(limit as u64 + 2);
    if limited.read_until(b'\n', buffer)? == 0 {
        return Ok(Line::End);
    }
    let ended = buffer.pop_if(|last| *last == b'\n').is_some();
    buffer.pop_if(|last| *last == b'\r');
    if buffer.len() <= limit {
        return Ok(Line::Read);
    }
    buffer.clear();
    if !ended {
        reader.skip_until(b'\n')?;
    }
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// Hands out one byte at a time, as a slow socket would.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = 1.min(buffer.len());
            self.0.read(&mut buffer[..n])
        }
    }

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(bytes: &[u8], limit: usize) -> Vec<Option<String>> {
        let read = |reader: &mut dyn BufRead| {
            let (mut out, mut buffer) = (Vec::new(), Vec::new());
            loop {
                match next_line(reader, &mut buffer, limit).unwrap() {
                    Line::End => return out,
                    Line::TooLong => out.push(None),
                    Line::Read => out.push(Some(String::from_utf8(buffer.clone()).unwrap())),
                }
            }
        };
        let fast = read(&mut *text(bytes).unwrap());
        assert_eq!(read(&mut *text(Slow(bytes)).unwrap()), fast);
        fast
    }

    #[test]
    fn lines_end_in_any_way() {
        assert_eq!(lines(b"", 9), []);
        assert_eq!(lines(b"\n", 9), [Some("".into())]);
        let want = [Some("a".into()), Some("".into()), Some("b\rc".into()), Some("d".into())];
        assert_eq!(lines(b"a\r\n\r\nb\rc\nd", 9), want);
        assert_eq!(lines(b"\xef\xbb\xbfa\n\n\xef\xbb\xbf", 9)[0], Some("a".into()));
    }

    #[test]
    fn a_line_too_long_is_passed_over() {
        let want = [Some("1234".into()), None, Some("4321".into()), Some("1234".into())];
        assert_eq!(lines(b"1234\n12345\n4321\r\n1234", 4), want);
        assert_eq!(lines(b"1234\n123456789\r\n4321\r\n1234", 4), want);
        assert_eq!(lines(b"123456789123456789", 4), [None]);
        assert_eq!(lines(b"12345\r\n12345", 4), [None, None]);
    }

    #[test]
    fn gzip_is_found_by_its_first_bytes() {
        let mut zipped = zip(b"\xef\xbb\xbfa\nb");
        zipped.extend(zip(b"c\n"));
        zipped.extend(zip(b""));
        assert_eq!(lines(&zipped, 9), [Some("a".into()), Some("bc".into())]);
        assert_eq!(lines(b"\x1f", 9).len(), 1);
    }

    #[test]
    fn a_torn_or_spoilt_gzip_is_an_error() {
        let zipped = zip(b"abcdefghij");
        let mut out = String::new();
        assert!(
            text(&zipped[..zipped.len() - 3]).and_then(|mut reader| reader.read_to_string(&mut out)).is_err()
        );
        let junk = [&zipped[..], b"junk"].concat();
        assert!(text(&*junk).and_then(|mut reader| reader.read_to_string(&mut out)).is_err());
    }
}
