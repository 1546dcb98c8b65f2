//! Rotation: what was shown lately steps back for a while.

/// How fresh the last showing of an item is: 1 where it was shown `age_ms` = 0 milliseconds ago,
/// falling in a straight line to 0 at `time_ms`, and 0 from then on.
///
/// An age below 0 (a clock that was put back) counts as 0. A `time_ms` of 0 or less turns rotation
/// off: the answer is 0.
///
/// ```
/// use nearfield::compose::staleness;
///
/// assert_eq!(staleness(0, 3_600_000), 1.0);
/// assert_eq!(staleness(900_000, 3_600_000), 0.75);
/// assert_eq!(staleness(7_200_000, 3_600_000), 0.0);
/// ```
#[must_use]
pub fn staleness(age_ms: i64, time_ms: i64) -> f64 {
    if age_ms >= time_ms || time_ms <= 0 {
        return 0.0;
    }
    1.0 - age_ms.max(0) as f64 / time_ms as f64
}
