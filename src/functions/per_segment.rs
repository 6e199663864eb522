//! Table functions that are applied to each segment of rows separately.

use std::sync::Arc;

use super::table_function::{TableFunction, TableOutput};
use crate::diagnostic::Result;
use crate::types::{Batch, ColumnBuilder, Field, Type, Value};

/// Calls a table function for the rows of each segment. The last argument is the number of the segment; it is also the
/// last column of the output. The rows of a segment must be next to each other.
#[derive(Debug)]
pub struct PerSegment {
    /// The function, which gets the arguments without the last one.
    pub function: Arc<dyn TableFunction>,
    /// The output column with the number of the segment.
    pub number: Field,
}

impl TableFunction for PerSegment {
    fn name(&self) -> &'static str {
        self.function.name()
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = self.function.fields();
        fields.push(self.number.clone());
        fields
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let number_at = arguments.columns().len() - 1;
        let own: Vec<usize> = (0..number_at).collect();
        let (mut outputs, mut input_rows) = (Vec::new(), Vec::new());
        let mut numbers = ColumnBuilder::new(Type::Long);
        let number = |row: usize| arguments.column(number_at).i64_at(row);
        let mut start = 0;
        while start < arguments.rows() {
            let segment = number(start);
            let rows = (start..arguments.rows()).take_while(|row| number(*row) == segment).count();
            let output = self.function.apply(&arguments.slice(start, rows).project(&own))?;
            let offset = u32::try_from(start).unwrap_or(u32::MAX);
            input_rows.extend(output.input_rows.iter().map(|row| row.saturating_add(offset)));
            let value = segment.map_or(Value::Null(Type::Long), Value::Long);
            (0..output.rows).for_each(|_| numbers.append(&value));
            outputs.push(Batch::new(output.columns, output.rows));
            start += rows;
        }
        let types: Vec<Type> = self.function.fields().iter().map(|field| field.ty).collect();
        let all = Batch::concat(&types, &outputs)?;
        let (mut columns, rows) = (all.columns().to_vec(), all.rows());
        columns.push(numbers.finish());
        Ok(TableOutput { input_rows, columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Batch, Field, PerSegment, Result, TableFunction, TableOutput, Type, Value};
    use crate::types::Column;

    /// A table function that returns the number of its rows and the last value, as a row.
    #[derive(Debug)]
    struct CountRows;

    impl TableFunction for CountRows {
        fn name(&self) -> &'static str {
            "count_rows"
        }

        fn fields(&self) -> Vec<Field> {
            vec![Field::new("count", Type::Long)]
        }

        fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
            let count = i64::try_from(arguments.rows()).unwrap_or(i64::MAX);
            let last = u32::try_from(arguments.rows() - 1).unwrap_or(u32::MAX);
            Ok(TableOutput::of_rows(vec![last], vec![Column::constant(Value::Long(count), 1)]))
        }
    }

    #[test]
    fn each_segment_is_a_table_of_its_own() {
        let column = |values: &[i64]| {
            let mut builder = super::ColumnBuilder::new(Type::Long);
            values.iter().for_each(|value| builder.append_i64(*value));
            builder.finish()
        };
        let function = PerSegment { function: Arc::new(CountRows), number: Field::new("row", Type::Long) };
        let rows = Batch::new(vec![column(&[9, 8, 7, 6]), column(&[1, 1, 4, 4])], 4);
        let output = function.apply(&rows).expect("two segments");
        assert_eq!(output.input_rows, [1, 3]);
        let values: Vec<_> = output.columns.iter().map(|column| [column.i64_at(0), column.i64_at(1)]).collect();
        assert_eq!(values, [[Some(2), Some(2)], [Some(1), Some(4)]]);
        let nothing = Batch::new(vec![column(&[]), column(&[])], 0);
        assert_eq!(function.apply(&nothing).expect("no segment").rows, 0);
    }
}
