//! Chooses records by the text of one value, before any value is read.

use super::split::value;
use crate::field::Field;
use crate::format::LogFormat;

/// Records whose value of a field is one of these texts, as a line has it:
/// numbers in decimal without leading zeros. No `-`, which is no value, and no
/// record of a format without the field is ever chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub field: Field,
    pub texts: Vec<Vec<u8>>,
}

/// A selection for one format.
pub(super) struct Selected {
    /// Where the value stands in a line, from 0; `None` if it has none.
    position: Option<u32>,
    texts: Vec<Wanted>,
}

struct Wanted {
    /// The first eight bytes, with zeros after a shorter text.
    first: u64,
    mask: u64,
    text: Vec<u8>,
}

impl Selected {
    pub(super) fn new(format: &LogFormat, selection: &Selection) -> Self {
        let texts = selection.texts.iter().filter(|text| *text != b"-" && !text.is_empty()).map(|text| {
            let mut first = [0; 8];
            let mut mask = [0; 8];
            for ((first, mask), &byte) in first.iter_mut().zip(&mut mask).zip(text) {
                (*first, *mask) = (byte, 0xff);
            }
            Wanted { first: u64::from_le_bytes(first), mask: u64::from_le_bytes(mask), text: text.clone() }
        });
        Self {
            position: format.position(selection.field).map(|position| position as u32),
            texts: texts.collect(),
        }
    }

    /// Whether the record that begins after this stop is chosen.
    #[inline(always)]
    pub(super) fn holds(&self, text: &[u8], stops: &[u32], first_stop: u32) -> bool {
        let Some(position) = self.position else { return false };
        let (start, end) = value(stops, first_stop + position);
        // Not compared as slices at once: that would be a call for each record.
        let Some(head) = text.get(start..).and_then(|rest| rest.first_chunk::<8>()) else {
            return self.texts.iter().any(|wanted| text.get(start..end) == Some(&wanted.text));
        };
        let head = u64::from_le_bytes(*head);
        self.texts.iter().any(|wanted| {
            head & wanted.mask == wanted.first
                && end.wrapping_sub(start) == wanted.text.len()
                && (wanted.text.len() <= 8 || text.get(start..end) == Some(&wanted.text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    #[test]
    fn records_are_chosen_by_their_texts_and_nothing_else_is_looked_at() {
        let format = LogFormat::parse("${srcaddr} ${dstport} ${bytes} ${action}").unwrap();
        let text = "srcaddr dstport bytes action\n\
                    10.0.0.1 22 1 ACCEPT\n10.0.0.2 22 2 REJECT\n10.0.0.2 2 x ACCEPT\n\
                    10.0.0.255 - 4 REJECT\nwrong\n10.0.0.2 2 5 -";
        for (selections, expected, malformed) in [
            (vec![], vec![1, 2, 4, 5], 2),
            (vec![(Field::Action, vec!["REJECT"])], vec![2, 4], 1),
            (vec![(Field::Action, vec!["ACCEPT"])], vec![1], 2),
            (vec![(Field::DstPort, vec!["2", "22"])], vec![1, 2, 5], 2),
            (vec![(Field::DstPort, vec!["-"])], vec![], 1),
            (vec![(Field::SrcAddr, vec!["10.0.0.25"])], vec![], 1),
            (vec![(Field::SrcAddr, vec!["10.0.0.2"]), (Field::DstPort, vec!["22"])], vec![2], 1),
            (vec![(Field::SrcAddr, vec!["10.0.0.255"])], vec![4], 1),
            (vec![(Field::VpcId, vec!["vpc-1"])], vec![], 1),
            (vec![(Field::Action, vec![])], vec![], 1),
        ] {
            let mut reader = Reader::new(format.clone(), &[Field::Bytes]);
            for (field, texts) in &selections {
                let texts = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
                reader = reader.only(&Selection { field: *field, texts });
            }
            let block = reader.push_block(text.as_bytes());
            let bytes: Vec<i64> = block.batch.column(0).as_primitive::<Int64Type>().values().to_vec();
            assert_eq!(bytes, expected, "{selections:?}");
            assert_eq!((block.counts.lines, block.counts.malformed), (7, malformed), "{selections:?}");
        }
    }
}
