//! One statement on PostgreSQL: binds in, rows out, errors in our words.

#[expect(clippy::disallowed_types, reason = "`Sql` holds no text of a client, only binds")]
use sqlx::AssertSqlSafe;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgConnection, PgDatabaseError, PgRow, PgSeverity, PgTypeInfo,
    PgValueFormat, PgValueRef,
};
use sqlx::{Arguments, Decode, Postgres, Row as _, Type, TypeInfo, ValueRef};

use crate::store::retry::{Broken, Lost};
use crate::store::{Error, Row, Sql, Value};

/// Runs statements without binds and without preparing them.
pub(crate) async fn plain(connection: &mut PgConnection, sql: &'static str) -> Result<(), Error> {
    control(connection, sql).await.map_err(|broken| broken.error)
}

/// The same inside a transaction that has to know whether its connection broke.
pub(crate) async fn control(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<(), Broken> {
    let done = sqlx::raw_sql(sql).execute(connection).await;
    done.map(drop).map_err(|error| translate(&error))
}

/// Runs a statement and says how many rows it touched.
pub(crate) async fn execute(
    connection: &mut PgConnection,
    sql: &'static str,
    binds: &[Value],
) -> Result<u64, Broken> {
    let done = sqlx::query_with(sql, arguments(binds)?).execute(connection).await;
    done.map(|done| done.rows_affected()).map_err(|error| translate(&error))
}

/// Runs a statement once for each row: after `common` come the row's own binds.
pub(crate) async fn execute_each(
    connection: &mut PgConnection,
    sql: &'static str,
    common: &[Value],
    rows: &[&[&str]],
) -> Result<u64, Broken> {
    let mut touched = 0;
    for row in rows {
        let mut binds = common.to_vec();
        binds.extend(row.iter().map(|text| Value::from(*text)));
        touched += execute(connection, sql, &binds).await?;
    }
    Ok(touched)
}

/// Runs a statement and gives its rows.
pub(crate) async fn query(
    connection: &mut PgConnection,
    sql: &'static str,
    binds: &[Value],
) -> Result<Vec<Row>, Broken> {
    let found = sqlx::query_with(sql, arguments(binds)?).fetch_all(connection).await;
    rows(&found.map_err(|error| translate(&error))?)
}

/// Runs a statement that was put together at run time and gives its rows.
pub(crate) async fn run(connection: &mut PgConnection, sql: &Sql) -> Result<Vec<Row>, Broken> {
    let text = AssertSqlSafe(sql.text.clone());
    let found = sqlx::query_with(text, arguments(&sql.binds)?).fetch_all(connection).await;
    rows(&found.map_err(|error| translate(&error))?)
}

fn arguments(binds: &[Value]) -> Result<PgArguments, Broken> {
    let mut arguments = PgArguments::default();
    for value in binds {
        let added = match value {
            Value::Int(number) => arguments.add(*number),
            Value::Real(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_deref()),
            Value::Json(text) => arguments.add(Json(text)),
            Value::Texts(texts) => arguments.add(texts.as_slice()),
        };
        added.map_err(|error| Broken::kept(Error::Database(error.to_string())))?;
    }
    Ok(arguments)
}

/// JSON text that goes to the server as it is.
struct Json<'t>(&'t str);

impl Type<Postgres> for Json<'_> {
    fn type_info() -> PgTypeInfo {
        <sqlx::types::Json<()> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Json<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.push(1); // the version of the binary form
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

fn rows(found: &[PgRow]) -> Result<Vec<Row>, Broken> {
    found
        .iter()
        .map(|row| {
            (0..row.len()).map(|column| read(row, column)).collect::<Result<_, _>>().map(Row)
        })
        .collect::<Result<_, BoxDynError>>()
        // The statement is done, and what it did is not understood.
        .map_err(|error| Broken { error: Error::Database(error.to_string()), lost: Lost::Silent })
}

fn read(row: &PgRow, column: usize) -> Result<Value, BoxDynError> {
    let raw: PgValueRef<'_> = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Text(None));
    }
    let kind = raw.type_info().into_owned();
    Ok(match kind.name() {
        "INT8" => Value::Int(Some(<i64 as Decode<Postgres>>::decode(raw)?)),
        "INT4" => Value::Int(Some(<i32 as Decode<Postgres>>::decode(raw)?.into())),
        "BOOL" => Value::Int(Some(<bool as Decode<Postgres>>::decode(raw)?.into())),
        "FLOAT8" => Value::Real(<f64 as Decode<Postgres>>::decode(raw)?),
        "JSONB" | "JSON" => {
            let binary = raw.format() == PgValueFormat::Binary && kind.name() == "JSONB";
            let bytes = raw.as_bytes()?;
            let bytes = if binary { bytes.get(1..).unwrap_or_default() } else { bytes };
            Value::Text(Some(std::str::from_utf8(bytes)?.to_owned()))
        }
        "TEXT" | "VARCHAR" | "NAME" => {
            Value::Text(Some(<String as Decode<Postgres>>::decode(raw)?))
        }
        other => return Err(format!("column {column} is of type {other}").into()),
    })
}

/// PostgreSQL's error in our words.
pub(super) fn translate(error: &sqlx::Error) -> Broken {
    match error {
        sqlx::Error::Database(failure) => failure
            .try_downcast_ref::<PgDatabaseError>()
            .map_or_else(|| Broken::kept(Error::Database(failure.to_string())), refused),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => {
            Broken { error: Error::Unavailable(error.to_string()), lost: Lost::Silent }
        }
        other => Broken::kept(Error::Database(other.to_string())),
    }
}

/// With these the server ends a session and undoes what it was at: ended by an administrator, the
/// database dropped, idle for too long. Of any other end, and of what a pooler says of a server that it
/// lost (class 08), nobody knows what became of the statement: it may have been at its commit.
const ENDED: [&str; 4] = ["57P01", "57P04", "57P05", "25P03"];

fn refused(failure: &PgDatabaseError) -> Broken {
    let words = || format!("{} ({})", failure.message(), failure.code());
    let code = failure.code();
    // The server itself names the place in its code.
    let is_poolers = code.starts_with("08") && failure.routine().is_none();
    if matches!(failure.severity(), PgSeverity::Fatal | PgSeverity::Panic) || is_poolers {
        let lost = if ENDED.contains(&code) { Lost::Told } else { Lost::Silent };
        return Broken { error: Error::Unavailable(words()), lost };
    }
    let error = match code {
        "23505" => Error::Taken(taken(failure)),
        "40001" | "40P01" => Error::Again(words()),
        // Read-only, a lock or a statement that took too long.
        "25006" | "55P03" | "57014" => Error::Unavailable(words()),
        // 53 resources, 58 system.
        _ if code.starts_with("53") || code.starts_with("58") => Error::Unavailable(words()),
        _ => Error::Database(words()),
    };
    Broken::kept(error)
}

/// `table.column` of the value that is taken; from the detail, `Key (tenant, name)=(…) already exists.`
fn taken(failure: &PgDatabaseError) -> String {
    let columns = failure.detail().and_then(|detail| {
        let (columns, _) = detail.strip_prefix("Key (")?.split_once(")=")?;
        columns.rsplit(", ").next()
    });
    let table = failure.table().unwrap_or_default();
    format!("{table}.{}", columns.or(failure.constraint()).unwrap_or_default())
}
