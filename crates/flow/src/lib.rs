//! Flow log records: what a capture window becomes, and what a line of a flow
//! log says.
//!
//! For: the table of fields ([`field`]), formats ([`mod@format`]), the text codec
//! ([`text`]), conditions on records as people write them ([`condition`]),
//! capture windows ([`window`]) and the records they give ([`record`]). It
//! stands alone: no HTTP, no SQL, no eBPF.
//!
//! | Feature | What it adds | Brings in |
//! |---|---|---|
//! | `columns` | text to Arrow record batches at memory speed (`columns`, with an example), batches to lines, JSON and CSV (`render`) | arrow-array and its sub-crates |
//! | `parquet` | batches to Parquet files as AWS writes them, and back (`parquet`, with an example) | the `parquet` crate, zlib-rs, zstd |
//!
//! ```text
//! columns::BlockReader::new(read) .next_block() -> io::Result<Option<&[u8]>>
//! columns::Reader::new(format, &[Field]) .push_block(&[u8]) -> Block { batch, malformed, counts }
//! render::{text(&batch, &format, &mut out), json(&batch, extras, &mut out), csv(...), csv_header(...)}
//! parquet::Writer::new(sink, &[Field], WriterOptions) .write(&batch) .finish() -> sink
//! parquet::Reader::new(source, Option<&[Field]>): Iterator<Item = Result<RecordBatch, Error>>
//! ```
//!
//! Not for: clocks, files, sockets. Time and bytes are arguments.
//!
//! # Reading
//!
//! ```
//! use weir_flow::field::Field;
//! use weir_flow::format::LogFormat;
//! use weir_flow::text::parse_line;
//! use weir_flow::value::Value;
//!
//! let format = LogFormat::default();
//! let line = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 \
//!             1418530010 1418530070 ACCEPT OK";
//! let record = parse_line(&format, 1, line)?;
//! assert_eq!(record.get(Field::DstPort), Some(Value::Int(22)));
//! assert_eq!(record.get(Field::Action), Some(Value::Text("ACCEPT")));
//! assert_eq!(record.get(Field::VpcId), None);
//!
//! let wrong = parse_line(&format, 2, "2 123456789010 eni-1235b8ca123456789 here").unwrap_err();
//! assert_eq!(
//!     wrong.to_string(),
//!     "line 2, column 38, field srcaddr: 'here' is not an IPv4 or IPv6 address"
//! );
//! # Ok::<(), weir_flow::text::MalformedLine>(())
//! ```
//!
//! # Writing
//!
//! ```
//! use std::num::NonZeroU32;
//! use weir_flow::format::LogFormat;
//! use weir_flow::record::InterfaceFacts;
//! use weir_flow::sample::{FlowSample, InterfaceSamples};
//! use weir_flow::text::write_record;
//! use weir_flow::window::{WindowClock, records};
//! use weir_types::net::{Action, Direction, Protocol};
//! use weir_types::time::UnixMillis;
//!
//! let mut facts =
//!     InterfaceFacts::new("123456789012", "us-east-1", "eni-1235b8ca123456789".parse()?);
//! facts.primary_ipv4 = Some("172.31.16.139".parse()?);
//! let ping = FlowSample {
//!     src: "203.0.113.12".parse()?,
//!     dst: "172.31.16.139".parse()?,
//!     src_port: 0,
//!     dst_port: 0,
//!     protocol: Protocol::ICMP,
//!     direction: Direction::Ingress,
//!     action: Action::Accept,
//!     packets: 4,
//!     bytes: 336,
//!     first: UnixMillis(1_432_917_027_250),
//!     last: UnixMillis(1_432_917_030_250),
//!     tcp_flags: 0,
//!     decision: Default::default(),
//! };
//! let samples = InterfaceSamples { flows: vec![ping], ..Default::default() };
//!
//! let clock = WindowClock::new(NonZeroU32::new(60).ok_or("an interval of 0 s")?);
//! let window = clock.window_at(ping.first);
//! let format = LogFormat::parse("${interface-id} ${srcaddr} ${dstaddr} ${packets} ${start} ${end} ${action}")?;
//! let mut lines = String::new();
//! for record in records(window, &facts, &samples) {
//!     write_record(&format, &record, &mut lines);
//! }
//! assert_eq!(lines, "eni-1235b8ca123456789 203.0.113.12 172.31.16.139 4 1432917027 1432917030 ACCEPT");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Formats
//!
//! ```
//! use weir_flow::format::LogFormat;
//!
//! let format = LogFormat::parse("${version} ${vpc-id} ${ecs-task-id}")?;
//! assert_eq!(format.version(), 7);
//! assert_eq!(format.header(), "version vpc-id ecs-task-id");
//! assert_eq!(
//!     LogFormat::parse("${srcadr}").unwrap_err().to_string(),
//!     "unknown field 'srcadr' at column 3: did you mean 'srcaddr'?"
//! );
//! # Ok::<(), weir_flow::format::LogFormatError>(())
//! ```

#[cfg(feature = "columns")]
pub mod columns;
pub mod condition;
pub mod decision;
pub mod field;
pub mod format;
pub mod names;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod record;
#[cfg(feature = "columns")]
pub mod render;
pub mod sample;
pub mod surroundings;
pub mod text;
pub mod value;
pub mod window;
