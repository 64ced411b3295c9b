//! The ring as a list with numbers, with and without filters.

use super::*;

use jiff::{SignedDuration, tz::TimeZone};

use super::super::{
    Pane,
    filter::{Asked, Fact},
    sort::{Column, SortKey},
};

impl Filtered for u32 {
    fn any_name(&self, _: &mut dyn FnMut(&str) -> bool) -> bool {
        false
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.to_string())
    }

    fn field(&self, _: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
        if *self == 7 { Verdict::Unknown } else { Verdict::of(test(Fact::Number(f64::from(*self)))) }
    }
}

impl Sorted for u32 {
    const COLUMNS: &'static [Column] = &[Column::falling("time"), Column::rising("last digit")];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        SortKey::Number(f64::from(if column == 0 { *self } else { *self % 10 }))
    }
}

fn filter(text: &str) -> Filter {
    Filter::parse(text, Pane::Feed, Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap()
}

fn ring(capacity: usize, rows: std::ops::Range<u32>) -> Ring<u32> {
    let mut ring = Ring::new(capacity);
    push(&mut ring, rows);
    ring
}

fn push(ring: &mut Ring<u32>, rows: std::ops::Range<u32>) {
    for row in rows {
        ring.push(row);
    }
}

fn shown(ring: &Ring<u32>, height: usize) -> Vec<u32> {
    (ring.top()..ring.top() + height).filter_map(|place| ring.at(place)).map(|(_, row)| *row).collect()
}

#[test]
fn stands_still_while_scrolled_and_counts_what_came() {
    let mut ring = Ring::new(10);
    (0..5).for_each(|n| {
        ring.push(n);
    });
    assert_eq!(shown(&ring, 3), [4, 3, 2]);
    assert_eq!(ring.step(1, None, 3), Some(4));
    ring.step(3, None, 3);
    assert_eq!(shown(&ring, 3), [3, 2, 1]);
    (5..9).for_each(|n| {
        ring.push(n);
    });
    assert_eq!(shown(&ring, 3), [3, 2, 1], "new rows do not move it");
    assert_eq!((ring.waiting(), ring.cursor()), (Some(4), Some(1)));
    ring.follow();
    assert_eq!((shown(&ring, 3), ring.waiting()), (vec![8, 7, 6], None));
}

#[test]
fn a_held_row_that_is_pushed_out_gives_way_to_the_oldest() {
    let mut ring = Ring::new(4);
    (0..4).for_each(|n| {
        ring.push(n);
    });
    ring.step(4, None, 2);
    (4..20).for_each(|n| {
        ring.push(n);
    });
    assert_eq!(shown(&ring, 2), [16]);
    assert!(ring.step(1, None, 2).is_some());
}

#[test]
fn filters_what_is_there_and_what_comes() {
    let mut ring = Ring::new(30);
    (0..25).for_each(|n| {
        ring.push(n);
    });
    ring.set_filter(filter("2"));
    assert_eq!(shown(&ring, 9), [24, 23, 22, 21, 20, 12, 2]);
    (25..33).for_each(|n| {
        ring.push(n);
    });
    assert_eq!(shown(&ring, 2), [32, 29]);
    assert_eq!(ring.shown(), 12, "2 was pushed out, 25 to 29 and 32 came");
    ring.set_filter(Filter::default());
    assert_eq!(ring.shown(), 30);
}

#[test]
fn up_from_the_newest_follows_again() {
    let mut ring = Ring::new(4);
    (0..3).for_each(|n| {
        ring.push(n);
    });
    ring.step(1, None, 2);
    assert!(ring.cursor().is_some());
    ring.step(-1, None, 2);
    assert!(ring.cursor().is_none());
}

fn second(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(n)
}

const BY_DIGIT: Order = Order { column: 1, reversed: false };

#[test]
fn sorted_it_is_sorted_again_once_a_second_unless_held() {
    let mut ring = ring(100, 0..25);
    ring.set_order(BY_DIGIT);
    assert_eq!(shown(&ring, 4), [20, 10, 0, 21], "equal ones the newest first");
    ring.tick(second(0));
    push(&mut ring, 25..35);
    ring.tick(second(0));
    assert_eq!(shown(&ring, 2), [20, 10]);
    ring.tick(second(1));
    assert_eq!(shown(&ring, 3), [30, 20, 10]);
    ring.step(2, None, 3);
    push(&mut ring, 35..45);
    ring.tick(second(9));
    assert_eq!((shown(&ring, 3), ring.waiting()), (vec![30, 20, 10], Some(10)));
    assert_eq!(ring.cursor().and_then(|cursor| ring.get(cursor)), Some(&20));
    ring.follow();
    assert_eq!(shown(&ring, 3), [40, 30, 20]);
    ring.set_order(BY_DIGIT.turned());
    assert_eq!(shown(&ring, 3), [39, 29, 19]);
    ring.set_order(Order::default().turned());
    assert_eq!(shown(&ring, 3), [0, 1, 2], "the oldest first");
}

#[test]
fn a_sorted_row_that_is_pushed_out_gives_way_to_its_neighbour() {
    let mut ring = ring(10, 0..10);
    ring.set_order(BY_DIGIT);
    ring.step(2, None, 3);
    assert_eq!(ring.cursor(), Some(1));
    push(&mut ring, 10..12);
    assert_eq!(ring.cursor(), Some(2), "0 and 1 are gone");
    push(&mut ring, 12..40);
    assert_eq!(ring.step(1, None, 3), None, "nothing is left of what was sorted");
    ring.follow();
    assert_eq!(shown(&ring, 2), [30, 31]);
}

#[test]
fn the_row_under_the_cursor_survives_a_filter_that_hides_it() {
    let mut ring = ring(30, 0..25);
    ring.step(6, None, 4);
    assert_eq!(ring.cursor(), Some(19));
    ring.set_filter(filter("2"));
    ring.keep_in_view(4);
    assert_eq!(ring.cursor(), Some(19));
    push(&mut ring, 25..33);
    assert_eq!(ring.waiting(), Some(6), "25 to 29 and 32");
    ring.set_filter(Filter::default());
    ring.keep_in_view(4);
    assert_eq!((ring.cursor(), ring.waiting()), (Some(19), Some(8)));
    assert!(shown(&ring, 4).contains(&19));
    ring.set_filter(filter("!2"));
    ring.keep_in_view(40);
    assert_eq!(ring.top(), 0, "what can fill the window does");
}

#[test]
fn next_and_previous_go_round_and_pass_over_rows_that_are_only_marked() {
    let mut ring = ring(30, 0..25);
    ring.set_filter(filter("2"));
    let found = |ring: &mut Ring<u32>, forward| {
        ring.find(forward, None, 5).map(|(n, round)| (ring.get(n).copied(), round))
    };
    for row in [24, 23, 22, 21, 20, 12, 2] {
        assert_eq!(found(&mut ring, true), Some((Some(row), false)));
    }
    assert_eq!(found(&mut ring, true), Some((Some(24), true)));
    assert_eq!(found(&mut ring, false), Some((Some(2), true)));
    ring.set_narrows(false);
    assert_eq!((ring.shown(), ring.passing()), (25, 7));
    assert_eq!(ring.step(-3, None, 5), Some(5));
    assert_eq!(found(&mut ring, false), Some((Some(12), false)));
    assert_eq!(found(&mut ring, true), Some((Some(2), false)));
    ring.set_order(BY_DIGIT.turned());
    assert_eq!(found(&mut ring, true), Some((Some(24), false)));
    assert_eq!(found(&mut ring, true), Some((Some(23), false)));
    ring.set_filter(filter("99"));
    assert_eq!(found(&mut ring, true), None);
}

#[test]
fn documents_are_read_bit_by_bit_and_what_cannot_be_told_is_counted() {
    let many = u32::try_from(2 * JUDGED_AT_ONCE / 200).unwrap();
    let mut ring = ring(1_000_000, 0..many);
    ring.set_filter(filter("size>5"));
    let left = ring.to_judge();
    assert!(left > 0 && left < many as usize, "{left}");
    assert_eq!(shown(&ring, 1), [many - 1], "the newest are judged first");
    push(&mut ring, many..many + 1);
    assert_eq!(ring.to_judge(), left + 1);
    for _ in 0..9 {
        ring.tick(second(0));
    }
    assert_eq!((ring.to_judge(), ring.unknown().0), (0, 1));
    assert_eq!(ring.passing(), many as usize + 1 - 7);
    assert_eq!(shown(&ring, 1), [many]);
    assert!(ring.unknown().1.is_some());
}

proptest::proptest! {
    #[test]
    fn whatever_happens_the_cursor_can_be_seen(
        deeds in proptest::collection::vec((0_u8..9, 0_u16..40), 0..60),
    ) {
        let mut ring = ring(12, 0..5);
        let mut next = 5;
        for (deed, n) in deeds {
            match deed {
                0..3 => {
                    push(&mut ring, next..next + u32::from(n % 5));
                    next += u32::from(n % 5);
                }
                3 => drop(ring.step(isize::try_from(n).unwrap() - 20, None, 4)),
                4 => ring.set_filter(filter(["", "1", "2", "size>3"][usize::from(n) % 4])),
                5 => ring.set_order(Order { column: usize::from(n) % 2, reversed: n > 20 }),
                6 => ring.set_narrows(n > 20),
                7 => drop(ring.find(n > 20, None, 4)),
                _ => ring.tick(second(i64::from(n))),
            }
            ring.keep_in_view(4);
            let cursor = ring.cursor().map(|cursor| ring.place(cursor));
            proptest::prop_assert!(ring.shown() <= ring.len() && ring.passing() <= ring.len());
            if let Some(place) = cursor.filter(|_| ring.listed() > 0) {
                proptest::prop_assert!((ring.top()..ring.top() + 4).contains(&place));
                proptest::prop_assert!(ring.at(place).is_some());
            }
            for number in ring.hits.iter().chain(&ring.unknown).chain(&ring.waiting) {
                proptest::prop_assert!(ring.get(*number).is_some());
            }
        }
    }
}
