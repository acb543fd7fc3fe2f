//! Filters that the decoder of text can apply itself: one of some values.

use super::Column;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use weir_flow::columns::Selection;
use weir_flow::field::Field;

use super::Origin;

/// The selection that chooses exactly the records for which `filter` holds, if
/// there is one: `action = 'REJECT'`, `dstport IN (22, 3389)`.
pub(crate) fn selection(columns: &[Column], filter: &Expr) -> Option<Selection> {
    let mut found = None;
    let mut texts = Vec::new();
    collect(columns, filter, &mut found, &mut texts)?;
    Some(Selection { field: found?, texts })
}

fn collect(
    columns: &[Column],
    filter: &Expr,
    found: &mut Option<Field>,
    texts: &mut Vec<Vec<u8>>,
) -> Option<()> {
    let mut add = |column: &Expr, value: &Expr| {
        let (Expr::Column(column), Expr::Literal(value, _)) = (column, value) else { return None };
        let column = columns.iter().find(|own| own.name == column.name)?;
        // Where a value of the record is what the column says, unchanged.
        let Origin::Field(field) = column.origin else { return None };
        if column.data_type != super::field_type(field) || found.is_some_and(|found| found != field) {
            return None;
        }
        *found = Some(field);
        texts.extend(text(value)?);
        Some(())
    };
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            add(left, right).or_else(|| add(right, left))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            collect(columns, left, found, texts)?;
            collect(columns, right, found, texts)
        }
        Expr::InList(list) if !list.negated => list.list.iter().try_for_each(|value| add(&list.expr, value)),
        _ => None,
    }
}

/// How a line has the value; no text for null, which nothing equals.
fn text(value: &ScalarValue) -> Option<Option<Vec<u8>>> {
    Some(match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => {
            text.as_ref().map(|text| text.clone().into_bytes())
        }
        ScalarValue::Int32(number) => number.map(|number| number.to_string().into_bytes()),
        ScalarValue::Int64(number) => number.map(|number| number.to_string().into_bytes()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::{col, lit};

    #[test]
    fn equalities_of_one_column_are_selections() {
        let columns: Vec<Column> =
            [Field::Action, Field::DstPort, Field::Bytes].map(Column::of_field).to_vec();
        for (filter, expected) in [
            (col("action").eq(lit("REJECT")), Some((Field::Action, vec!["REJECT"]))),
            (lit(22).eq(col("dstport")), Some((Field::DstPort, vec!["22"]))),
            (
                col("dstport").eq(lit(22)).or(col("dstport").eq(lit(80))),
                Some((Field::DstPort, vec!["22", "80"])),
            ),
            (col("bytes").in_list(vec![lit(1_i64), lit(2_i64)], false), Some((Field::Bytes, vec!["1", "2"]))),
            (col("bytes").in_list(vec![lit(1_i64)], true), None),
            (col("dstport").eq(lit(22)).or(col("bytes").eq(lit(22_i64))), None),
            (col("dstport").gt(lit(22)), None),
            (col("dstport").eq(col("bytes")), None),
            (col("weather").eq(lit(1)), None),
            (col("dstport").eq(lit(22.0)), None),
        ] {
            let found = selection(&columns, &filter);
            let expected = expected.map(|(field, texts)| Selection {
                field,
                texts: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
            });
            assert_eq!(found, expected, "{filter}");
        }
    }
}
