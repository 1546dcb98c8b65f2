use std::io::Write as _;

use super::*;

fn read(name: &str, text: &str, options: &InteractionOptions) -> Result<Interactions> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read_interactions(&path, options).map_err(|error| match error {
        Error::Input { place, expected, found } => {
            let place = place.replace(&format!("{}/", folder.path().display()), "");
            Error::Input { place, expected, found }
        }
        other => other,
    })
}

fn row(user: u32, item: u32, weight: f64, at_ms: Option<i64>) -> InteractionRow {
    InteractionRow { user, item, weight, at_ms }
}

#[test]
fn all_encodings_give_the_same_log() {
    let expected = Interactions {
        users: vec!["9".into(), "ä".into()],
        items: vec!["i1".into(), "2".into()],
        rows: vec![
            row(0, 0, 4.0, Some(881_250_949_500)),
            row(0, 1, 5.0, Some(1_000)),
            row(1, 0, 4.5, Some(2_000)),
        ],
        n_below: 1,
        time_unit: Some(TimeUnit::Seconds),
    };
    let options = InteractionOptions { min_weight: Some(4.0), ..InteractionOptions::default() };
    let inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n9\ti1\t4\t881250949.5\n\
                 9\t2\t5\t1\nz\ti1\t3.9\t7\nä\ti1\t4.5\t2\n";
    let csv = "time,item,ignored,user,weight\r\n881250949.5,i1,x,9,4\r\n1,2,,9,5\r\n7,i1,,z,3.9\r\n2,i1,,ä,4.5\r\n";
    let jsonl = "{\"user\": 9, \"item\": \"i1\", \"weight\": 4, \"at\": 881250949.5}\n\n\
                 {\"user\": \"9\", \"item\": 2, \"weight\": 5.0, \"at\": 1, \"more\": [1]}\n\
                 {\"user\": \"z\", \"item\": \"i1\", \"weight\": 3.9, \"at\": 7}\n\
                 {\"user\": \"\\u00e4\", \"item\": \"i1\", \"weight\": 4.5, \"at\": 2}";
    for (name, text) in [("a.inter", inter), ("a.tsv", inter), ("a.csv", csv), ("a.jsonl", jsonl)]
    {
        assert_eq!(read(name, text, &options).unwrap(), expected, "{name}");
    }
}

#[test]
fn gzip_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(b"user,item\na,b\n").unwrap();
    packed.finish().unwrap();
    let log = read_interactions(&path, &InteractionOptions::default()).unwrap();
    assert_eq!(log.rows, [row(0, 0, 1.0, None)]);
    assert_eq!(log.time_unit, None);
}

#[test]
fn units_of_time_are_found_by_size() {
    for (time, unit, ms) in [
        ("1700000000", TimeUnit::Seconds, 1_700_000_000_000),
        ("1700000000123", TimeUnit::Milliseconds, 1_700_000_000_123),
        ("1700000000123456", TimeUnit::Microseconds, 1_700_000_000_123),
        ("-86400", TimeUnit::Seconds, -86_400_000),
    ] {
        let log =
            read("t.csv", &format!("user,item,ts\nu,i,{time}\n"), &InteractionOptions::default())
                .unwrap();
        assert_eq!((log.time_unit, log.rows[0].at_ms), (Some(unit), Some(ms)), "{time}");
    }
}

#[test]
fn errors_name_file_line_and_field() {
    let named = InteractionOptions { weight: Some("stars".into()), ..Default::default() };
    for (name, text, options, message) in [
        ("l.csv", "", None, "l.csv:1: expected a line of column names, found an empty file"),
        (
            "l.csv",
            "usr,item\n",
            None,
            "l.csv:1: expected a column of users (--user-field names it) (did you mean \"usr\"?), found none of this name",
        ),
        (
            "l.csv",
            "user,item\na,b\n",
            Some(&named),
            "l.csv:1: expected a column of weights, one of: user, item, found none of this name",
        ),
        ("l.csv", "user,item\na,b\n,c\n", None, "l.csv:3: user: expected an id, found nothing"),
        (
            "l.csv",
            "user,item,weight\na,b,1\na,c,NaN\n",
            None,
            "l.csv:3: weight: expected a finite number, found \"NaN\"",
        ),
        (
            "l.csv",
            "user,item,time\na,b,2020-01-01\n",
            None,
            "l.csv:2: time: expected a finite number, found \"2020-01-01\"",
        ),
        (
            "l.csv",
            "user,item,time\na,b,1\na,b,1e18\n",
            None,
            "l.csv:3: time: expected seconds, milliseconds or microseconds since 1970, found 1000000000000000000",
        ),
        (
            "l.csv",
            "user,item\na\n",
            None,
            "l.csv:2: expected 2 fields, as on the first line, found 1",
        ),
        (
            "l.jsonl",
            "{\"user\": 1.5, \"item\": 1}",
            None,
            "l.jsonl:1: user: expected a string or a whole number, found \"1.5\"",
        ),
        (
            "l.jsonl",
            "\n{\"user\": 1}",
            None,
            "l.jsonl:2: item: expected a column of items (--item-field names it), found nothing",
        ),
        (
            "l.jsonl",
            "{\"user\": 1, \"item\": 2, \"item\": 3}",
            None,
            "l.jsonl:1: item: expected each name once, found it a second time",
        ),
        (
            "l.jsonl",
            "[1]",
            None,
            "l.jsonl:1: expected one JSON object, found invalid type: sequence, expected an object at column 0",
        ),
        (
            "l.parquet",
            "",
            None,
            "l.parquet: expected a file name ending in .jsonl, .ndjson, .csv, .tsv or .inter, with or without .gz, found another ending",
        ),
    ] {
        let error = read(name, text, options.unwrap_or(&InteractionOptions::default()));
        assert_eq!(error.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_matrix_has_each_pair_once_and_counts_what_it_leaves_out() {
    let text = "user,item\na,x\nb,y\na,y\na,x\nb,gone\nc,gone\n";
    let log = read("l.csv", text, &InteractionOptions::default()).unwrap();
    let (matrix, n_unknown) = log.matrix(&["y".into(), "unused".into(), "x".into()]);
    assert_eq!(n_unknown, 2);
    assert_eq!((matrix.n_users(), matrix.n_items(), matrix.n_ones()), (3, 3, 3));
    assert_eq!(matrix.rows().collect::<Vec<_>>(), [&[0, 2][..], &[0], &[]]);
    let items = matrix.transposed();
    assert_eq!(items.rows().collect::<Vec<_>>(), [&[0, 1][..], &[], &[0]]);
    assert_eq!(items.transposed(), matrix);
    assert_eq!(matrix.of_users(&[1, 0]).rows().collect::<Vec<_>>(), [&[0][..], &[0, 2]]);
}
