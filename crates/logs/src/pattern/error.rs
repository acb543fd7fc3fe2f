//! Why a text is no filter pattern.

/// `Display` is AWS's text, which is the same for almost every mistake;
/// [`explain`](Self::explain) says what is wrong where, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("Invalid filter pattern")]
    Syntax {
        /// In characters from 1.
        column: usize,
        /// `expected a value`, for example.
        reason: String,
    },
    /// A term holds what must be quoted, or what no regular expression may hold.
    #[error("Invalid character(s) in term '{term}'")]
    InvalidCharacters {
        /// In characters from 1.
        column: usize,
        term: String,
    },
}

impl PatternError {
    /// Where in the pattern, in characters from 1.
    pub fn column(&self) -> usize {
        match self {
            Self::Syntax { column, .. } | Self::InvalidCharacters { column, .. } => *column,
        }
    }

    /// One line that names the place and what was expected there.
    pub fn explain(&self) -> String {
        let column = self.column();
        match self {
            Self::Syntax { reason, .. } => format!("invalid filter pattern at column {column}: {reason}"),
            Self::InvalidCharacters { term, .. } if term.starts_with('%') => format!(
                "invalid filter pattern at column {column}: a regular expression may hold letters, digits, \
                 spaces, :_#=@/;,- and the operators ^$?[]{{}}|\\*+. but {term} has another character; \
                 write that as \\xHH"
            ),
            Self::InvalidCharacters { term, .. } => {
                format!("invalid filter pattern at column {column}: put {term} in double quotes")
            }
        }
    }
}
