//! Parameters of AWS that Weir does not have: refused rather than ignored, so
//! that nobody believes to have what they do not.

use crate::error::ApiError;
use crate::protocol::query::Params;

/// Refuses a request that has one of these parameters (texts, lists or
/// structures). `false` is as good as absent.
///
/// Errors: `UnsupportedOperation`.
pub fn refuse(params: &Params, names: &[&str]) -> Result<(), ApiError> {
    let given = |name: &&&str| {
        params.get(name).is_some_and(|value| value != "false") || !params.structure(name).is_empty()
    };
    match names.iter().find(given) {
        None => Ok(()),
        Some(name) => {
            let message = format!("The parameter {name} is not supported by this version of Weir");
            Err(ApiError::new("UnsupportedOperation", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lists_and_structures_are_refused() {
        for (form, refused) in [
            ("A=1", true),
            ("A.1=x", true),
            ("A.Mode=x", true),
            ("A=true", true),
            ("A=false", false),
            ("A=", false),
            ("AB=1", false),
        ] {
            let params = Params::parse(form.as_bytes()).unwrap();
            assert_eq!(refuse(&params, &["Z", "A"]).is_err(), refused, "{form}");
        }
    }
}
