//! The rebuild dialog: which mode, on which leases, the plan of it, the deed, the result. Progress itself lives
//! in the model, because a rebuild goes on when the dialog is closed.

use jiff::{Timestamp, tz::TimeZone};
use tui_input::Input;

use crate::engine::{LeaseRow, RebuildMode, RebuildOrder, RebuildPlan};
use crate::tui::keymap::Action;

/// How far back `since` reaches until something else is typed.
const FIRST_SINCE: &str = "1h";

/// What the dialog offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum RebuildChoice {
    /// Replay over the live cache.
    #[default]
    Refill,
    /// Delete the mapping's keys first.
    Flush,
    /// Only what changed after a time.
    Since,
    /// Only some leases.
    Leases,
}

impl RebuildChoice {
    /// All, in the order in which they are drawn.
    pub(crate) const ALL: [Self; 4] = [Self::Refill, Self::Flush, Self::Since, Self::Leases];
}

/// A lease that may be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseTick {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) ticked: bool,
}

/// State of the dialog.
#[derive(Debug, Clone)]
pub(crate) struct RebuildDialog {
    pub(crate) choice: RebuildChoice,
    /// The time of `since`: `90m`, `14:02`, or a whole time.
    pub(crate) since: Input,
    pub(crate) leases: Vec<LeaseTick>,
    /// The lease under the cursor.
    pub(crate) cursor: usize,
    /// The answer to what is chosen now; `None` = still being found out.
    plan: Option<Box<RebuildPlan>>,
    /// Start was pressed.
    pub(crate) started: bool,
    /// Foreign owners may lose their leases.
    pub(crate) take_over: bool,
    /// Wait until foreign owners have stopped.
    pub(crate) wait: bool,
    /// First line shown of the list of ids.
    pub(crate) scroll: usize,
}

impl RebuildDialog {
    /// Refill, with the selected lease ticked in case it is to be that one alone.
    pub(crate) fn new(rows: &[LeaseRow], selected: Option<&str>) -> Self {
        let leases = rows
            .iter()
            .map(|row| LeaseTick {
                id: row.id.clone(),
                token: row.token.clone(),
                ticked: selected == Some(row.id.as_str()),
            })
            .collect();
        Self {
            choice: RebuildChoice::default(),
            since: Input::new(FIRST_SINCE.to_owned()),
            cursor: rows.iter().position(|row| selected == Some(row.id.as_str())).unwrap_or(0),
            leases,
            plan: None,
            started: false,
            take_over: false,
            wait: false,
            scroll: 0,
        }
    }

    /// Looks at one that is under way.
    pub(crate) fn under_way() -> Self {
        Self { started: true, ..Self::new(&[], None) }
    }

    /// The order that the choices make; `Err` says in one line what is missing.
    pub(crate) fn order(&self, now: Timestamp, zone: &TimeZone) -> Result<RebuildOrder, String> {
        let mut order =
            RebuildOrder { take_over: self.take_over, wait: self.wait, ..RebuildOrder::default() };
        match self.choice {
            RebuildChoice::Refill => {}
            RebuildChoice::Flush => order.mode = RebuildMode::Flush,
            RebuildChoice::Since => order.mode = RebuildMode::Since(moment(self.since.value(), now, zone)?),
            RebuildChoice::Leases => {
                order.only =
                    self.leases.iter().filter(|lease| lease.ticked).map(|lease| lease.id.clone()).collect();
                if order.only.is_empty() {
                    return Err("tick at least one lease".to_owned());
                }
            }
        }
        Ok(order)
    }

    /// Keys are letters of a time now.
    pub(crate) fn takes_text(&self) -> bool {
        self.choice == RebuildChoice::Since && !self.started
    }

    /// The next choice, or the one before.
    pub(crate) fn choose(&mut self, by: isize) {
        let all = RebuildChoice::ALL;
        let place = all.iter().position(|choice| *choice == self.choice).unwrap_or(0);
        self.choice = all[(place + all.len()).saturating_add_signed(by) % all.len()];
        self.forget();
    }

    /// What was answered to another choice is no answer to this one.
    pub(crate) fn forget(&mut self) {
        self.plan = None;
        self.scroll = 0;
        self.take_over = false;
        self.wait = false;
    }

    /// Takes an answer in, unless it is one to something else.
    pub(crate) fn answer(&mut self, plan: Box<RebuildPlan>, now: Timestamp, zone: &TimeZone) {
        if self.started {
            return;
        }
        let Ok(wanted) = self.order(now, zone) else { return };
        // `1h` ago is another moment by now.
        let same_mode = match (wanted.mode, plan.order.mode) {
            (RebuildMode::Since(_), RebuildMode::Since(_)) => true,
            (wanted, planned) => wanted == planned,
        };
        if same_mode && wanted.only == plan.order.only {
            self.plan = Some(plan);
        }
    }

    /// What would happen; `None` while it is being found out.
    pub(crate) fn plan(&self) -> Option<&RebuildPlan> {
        self.plan.as_deref()
    }

    /// The order that was planned, with what was agreed to since.
    pub(crate) fn agreed(&self) -> Option<RebuildOrder> {
        let plan = self.plan.as_ref()?;
        Some(RebuildOrder { take_over: self.take_over, wait: self.wait, ..plan.order.clone() })
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        match action {
            _ if self.started => action == Action::Back,
            Action::Submit => self.hindrance().is_none(),
            Action::Copy => self.plan().is_some(),
            Action::PreviousChoice | Action::NextChoice | Action::Tick => {
                self.choice == RebuildChoice::Leases
            }
            Action::Wait | Action::TakeOver => {
                self.plan().is_some_and(|plan| !plan.foreign_owners.is_empty())
            }
            _ => true,
        }
    }

    /// Why enter does nothing now, if so.
    pub(crate) fn hindrance(&self) -> Option<String> {
        let Some(plan) = &self.plan else { return Some("the plan is still being made".to_owned()) };
        if let Some(reason) = &plan.refused {
            return Some(reason.clone());
        }
        if !plan.foreign_owners.is_empty() && !self.take_over && !self.wait {
            return Some("others own leases now: wait for them, or take the leases over".to_owned());
        }
        None
    }
}

/// A time as people type it: an age (`90s`, `15m`, `2h`, `3d`), a time of today or yesterday (`14:02`,
/// `14:02:11`), or a whole one (`2026-03-01T12:00:00Z`).
fn moment(typed: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let typed = typed.trim();
    let wrong = || format!("{typed:?} is no time: 15m, 2h, 14:02 or 2026-03-01T12:00:00Z");
    if let Some(age) = age(typed) {
        return now.checked_sub(jiff::SignedDuration::from_secs(age)).map_err(|_| wrong());
    }
    let at = if let Ok(time) = typed.parse::<jiff::civil::Time>() {
        let today = zone.to_datetime(now).date();
        let at = zone.to_timestamp(today.to_datetime(time)).map_err(|_| wrong())?;
        // A time that is still to come was meant to be yesterday's.
        if at > now {
            let yesterday = today.yesterday().map_err(|_| wrong())?;
            zone.to_timestamp(yesterday.to_datetime(time)).map_err(|_| wrong())?
        } else {
            at
        }
    } else {
        typed.parse().map_err(|_| wrong())?
    };
    if at > now { Err("that time is still to come".to_owned()) } else { Ok(at) }
}

/// `15m` in seconds.
fn age(typed: &str) -> Option<i64> {
    let (number, unit) = typed.split_at_checked(typed.len().checked_sub(1)?)?;
    let number: i64 = number.trim().parse().ok().filter(|number| *number >= 0)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_type_them() {
        let now: Timestamp = "2026-11-23T14:02:12Z".parse().unwrap();
        let at = |typed: &str| moment(typed, now, &TimeZone::UTC).map(|at| at.to_string());
        for (typed, meant) in [
            ("15m", "2026-11-23T13:47:12Z"),
            (" 2h ", "2026-11-23T12:02:12Z"),
            ("3d", "2026-11-20T14:02:12Z"),
            ("14:00", "2026-11-23T14:00:00Z"),
            ("15:30", "2026-11-22T15:30:00Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ] {
            assert_eq!(at(typed).as_deref(), Ok(meant), "{typed}");
        }
        for typed in ["", "m", "-1h", "soon", "25:00", "2027-03-01T12:00:00Z", "9999999999999999d", "é"] {
            assert!(at(typed).is_err(), "{typed}");
        }
    }
}
