//! Leases, rebuild and what hangs together with them: what keys and events make of the model.

use crossterm::event::KeyCode;
use jiff::SignedDuration;

use super::{
    fixture::{self, keys, model, press, tell},
    running, sent, views,
};
use crate::{
    engine::{
        Bookmarked, Command, DeadLetterOrder, DriftWatch, Event, LeaseDeed, LeaseOrder, LeaseOutcome,
        RebuildMode, RebuildOrder, RebuildPhase, RebuildPlan, SyncPhase, SyncStatus,
    },
    tui::update::{Msg, update},
};

fn order(deed: LeaseDeed, only: &[&str]) -> LeaseOrder {
    LeaseOrder { deed, only: only.iter().map(ToString::to_string).collect(), take_over: false }
}

#[test]
fn a_deed_on_leases_is_planned_for_each_choice_and_done_only_on_enter() {
    let mut model = running();
    let opened = keys(&mut model, "2jL");
    let id = model.leases.cursor.clone().unwrap();
    assert_eq!(sent(&opened), [&Command::PlanLeases(order(LeaseDeed::Release, &[&id]))]);
    assert!(sent(&keys(&mut model, "\n")).is_empty(), "there is no plan yet");
    let reset = press(&mut model, KeyCode::Up);
    assert_eq!(sent(&reset), [&Command::PlanLeases(order(LeaseDeed::Reset, &[&id]))]);
    let all = press(&mut model, KeyCode::Tab);
    assert_eq!(sent(&all), [&Command::PlanLeases(order(LeaseDeed::Reset, &[]))]);
    // The answer to an older choice is none to this one.
    tell(&mut model, [fixture::lease_plan(order(LeaseDeed::Release, &[]))]);
    assert!(fixture::text(&model).contains("finding out"));
    tell(&mut model, [fixture::lease_plan(order(LeaseDeed::Reset, &[]))]);
    let text = fixture::text(&model);
    for words in [
        "delete exactly 4 documents in shop/leases",
        "● host-b, beat 9s, owner since 14:00:02 or before",
        "◐ host-a, expired",
        "Not touched: 0 other leases of this prefix, 3 leases of 1 other prefix",
        "same as  syncscope leases reset --cosmos",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    assert!(sent(&keys(&mut model, "\n")).is_empty(), "host-b is alive");
    let agreed = keys(&mut model, "t\n");
    let wanted = LeaseOrder { take_over: true, ..order(LeaseDeed::Reset, &[]) };
    assert_eq!(sent(&agreed), [&Command::DoLeases(wanted)]);
    let refused = vec![("acct..x".to_owned(), "quicker owns it now; look again".to_owned())];
    let outcome = LeaseOutcome { deed: LeaseDeed::Reset, done: vec!["a".into()], refused };
    tell(&mut model, [Event::LeasesDone(outcome.clone())]);
    let text = fixture::text(&model);
    assert!(text.contains("1 lease document reset") && text.contains("quicker owns it now"), "{text}");
    press(&mut model, KeyCode::Esc);
    assert!(model.overlays.is_empty());
    tell(&mut model, [Event::LeasesDone(outcome)]);
    assert!(model.notice().is_some_and(|notice| notice.contains("1 left")), "told although it is closed");
}

#[test]
fn a_bookmark_is_asked_for_once_and_told_with_its_command_lines() {
    let mut model = running();
    let asked = keys(&mut model, "LB");
    let Some(Command::SaveBookmark { name }) = sent(&asked).last().copied() else { panic!("{asked:?}") };
    let name = name.clone();
    let digits = name.strip_prefix("screen-").unwrap().replace('-', "");
    assert!(digits.len() == 14 && digits.bytes().all(|b| b.is_ascii_digit()), "{name}");
    assert_eq!(crate::lease::Bookmark::check_name(&name), Ok(()));
    assert!(sent(&keys(&mut model, "B")).is_empty(), "the first is still being saved");
    let told = |outcome| Event::Bookmarked(Bookmarked { name: name.clone(), outcome });
    tell(&mut model, [told(Ok(4))]);
    let text = fixture::text(&model);
    for word in ["save", "diff", "restore"] {
        assert!(text.contains(&format!("syncscope leases {word} {name} --cosmos")), "{word} in\n{text}");
    }
    assert!(text.contains(&format!("✓ bookmark {name} keeps the positions of 4 leases")), "{text}");

    keys(&mut model, "B");
    tell(&mut model, [told(Err("there is no lease container yet".to_owned()))]);
    let text = fixture::text(&model);
    assert!(text.contains("was not saved: there is no lease container yet"), "{text}");
    press(&mut model, KeyCode::Esc);
    tell(&mut model, [told(Ok(1))]);
    let notice = model.notice().unwrap_or_default();
    assert!(notice.contains("keeps the position of 1 lease"), "told although it is closed: {notice}");
}

#[test]
fn each_mode_of_a_rebuild_has_a_plan_of_its_own() {
    let mut model = running();
    keys(&mut model, "2jb");
    let flush = press(&mut model, KeyCode::Down);
    let mode = |mode| RebuildOrder { mode, ..RebuildOrder::default() };
    assert_eq!(sent(&flush), [&Command::PlanRebuild(mode(RebuildMode::Flush))]);
    tell(&mut model, [Event::RebuildPlan(Box::new(fixture::plan()))]);
    assert!(fixture::text(&model).contains("finding out"), "a plan of refill is none of flush");

    let since = press(&mut model, KeyCode::Down);
    let hour_ago = fixture::start() - SignedDuration::from_hours(1);
    assert_eq!(sent(&since), [&Command::PlanRebuild(mode(RebuildMode::Since(hour_ago)))]);
    press(&mut model, KeyCode::Backspace);
    assert!(fixture::text(&model).contains("is no time"));
    let typed = keys(&mut model, "5m");
    let quarter_ago = fixture::start() - SignedDuration::from_mins(15);
    assert_eq!(sent(&typed).last(), Some(&&Command::PlanRebuild(mode(RebuildMode::Since(quarter_ago)))));

    let leases = press(&mut model, KeyCode::Down);
    let id = model.leases.cursor.clone().unwrap();
    let only = RebuildOrder { only: vec![id], ..RebuildOrder::default() };
    assert_eq!(sent(&leases), [&Command::PlanRebuild(only)], "the selected lease is ticked");
    assert!(sent(&keys(&mut model, " ")).is_empty());
    assert!(fixture::text(&model).contains("tick at least one lease"));
    press(&mut model, KeyCode::Right);
    let other = keys(&mut model, " ");
    let [Command::PlanRebuild(order)] = sent(&other)[..] else { panic!("{other:?}") };
    assert_eq!(order.only, [model.leases.snapshot.rows[1].id.clone()]);
    let plan = RebuildPlan { order: order.clone(), ..fixture::plan() };
    let order = order.clone();
    tell(&mut model, [Event::RebuildPlan(Box::new(plan))]);
    assert_eq!(sent(&keys(&mut model, "\n")), [&Command::StartRebuild(order)]);
}

#[test]
fn a_rebuild_can_wait_for_others_and_ends_with_a_report() {
    let mut model = running();
    keys(&mut model, "b");
    press(&mut model, KeyCode::Down);
    tell(&mut model, [fixture::flush_plan()]);
    let text = fixture::text(&model);
    assert!(text.contains("func-host-3b1c owns 2 leases, since 14:00:02 or before"), "{text}");
    assert!(text.contains("entries live 1 s"), "{text}");
    assert!(sent(&keys(&mut model, "\n")).is_empty());
    let effects = keys(&mut model, "w\n");
    let [Command::StartRebuild(order)] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert!(order.wait && !order.take_over && order.mode == RebuildMode::Flush);
    tell(&mut model, [fixture::rebuild(RebuildPhase::Waiting { owners: "func-host-3b1c".into() }, 0)]);
    assert!(fixture::text(&model).contains("waiting: func-host-3b1c"));
    tell(&mut model, [fixture::rebuilt()]);
    let text = fixture::text(&model);
    assert!(
        text.contains("2 orphans swept, 1 entry mended") && text.contains("! left wrong: 1 entry; v shows")
    );
}

#[test]
fn data_that_is_old_is_told_in_its_pane() {
    let mut model = running();
    assert!(!fixture::text(&model).contains("no answer for"));
    update(&mut model, Msg::Tick(fixture::start() + SignedDuration::from_secs(30)));
    let text = fixture::text(&model);
    assert!(text.contains("~ no answer for 3"), "{text}");
    let fresh = crate::engine::LeaseSnapshot { read_at: Some(model.now), ..fixture::leases() };
    tell(&mut model, [Event::Leases(fresh)]);
    assert!(!fixture::text(&model).contains("no answer for"));
}

#[test]
fn dead_letters_are_looked_at_and_tried_again_one_or_all() {
    let mut model = running();
    assert_eq!(sent(&keys(&mut model, "D")), [&Command::DeadLetters(DeadLetterOrder::List)]);
    tell(&mut model, [views::dead_letters()]);
    assert!(fixture::text(&model).contains("needs {market}"), "the newest is on top");
    let retry = |names: Option<&str>| {
        Command::DeadLetters(DeadLetterOrder::Retry { names: names.map(|name| vec![name.to_owned()]) })
    };
    assert_eq!(sent(&keys(&mut model, "r")), [&retry(Some("b"))]);
    assert_eq!(sent(&keys(&mut model, "jr")), [&retry(Some("a"))]);
    assert_eq!(sent(&keys(&mut model, "R")), [&retry(None)]);
    let export = keys(&mut model, "x");
    assert!(matches!(sent(&export)[..], [Command::DeadLetters(DeadLetterOrder::Export { .. })]));
    let preview = keys(&mut model, "kp");
    let [Command::PreviewMapping(trial)] = sent(&preview)[..] else { panic!("{preview:?}") };
    assert_eq!(trial.document, views::WIDE_DOCUMENT);
}

#[test]
fn a_preview_asks_again_for_each_letter_and_takes_only_the_newest_answer() {
    let mut model = running();
    keys(&mut model, "P");
    let pasted = update(&mut model, Msg::Paste("{\"id\":1}".to_owned()));
    let [Command::PreviewMapping(first)] = sent(&pasted)[..] else { panic!("{pasted:?}") };
    assert_eq!((first.document.as_str(), first.key.as_deref()), ("{\"id\":1}", Some("price:{id}")));
    let old = views::preview_fault(&model);
    let typed = keys(&mut model, "x");
    let [Command::PreviewMapping(second)] = sent(&typed)[..] else { panic!("{typed:?}") };
    assert_eq!(second.key.as_deref(), Some("price:{id}x"));
    tell(&mut model, [old]);
    assert!(fixture::text(&model).contains("asking the mapping"));
    let newest = views::previewed(&model);
    tell(&mut model, [newest]);
    assert!(fixture::text(&model).contains("this key is deleted"));
}

#[test]
fn comparing_in_the_background_begins_here_and_only_on_request_elsewhere() {
    let begins = |address: &str| {
        let mut model = model(120, 40);
        let up = |address: &str| crate::engine::ConnectionState::Up {
            address: address.to_owned(),
            product: "cosmos".to_owned(),
        };
        let redis = Event::Connection(crate::engine::Server::Redis, up("127.0.0.1:6379"));
        let effects = tell(
            &mut model,
            [redis.clone(), Event::Connection(crate::engine::Server::Cosmos, up(address)), redis],
        );
        (sent(&effects).len(), sent(&keys(&mut model, "V")).len())
    };
    assert_eq!(begins("127.0.0.1:8081"), (1, 1));
    assert_eq!(begins("localhost.example.com:8081"), (0, 1));
    assert_eq!(begins("acct.documents.azure.com:443"), (0, 1));
    let mut model = running();
    let on = Command::WatchDrift(Some(DriftWatch::default()));
    assert_eq!(sent(&keys(&mut model, "V")), [&on]);
    tell(&mut model, [views::drift()]);
    assert!(fixture::text(&model).contains("~ 99.96"), "{}", fixture::text(&model));
    assert_eq!(sent(&keys(&mut model, "V")), [&Command::WatchDrift(None)]);
}

#[test]
fn comparing_begins_once_a_sync_of_ours_has_caught_up() {
    let mut model = model(120, 40);
    let up = |server, address: &str| {
        let (address, product) = (address.to_owned(), "product".to_owned());
        Event::Connection(server, crate::engine::ConnectionState::Up { address, product })
    };
    let sync = |phase, lag, rate| Event::Sync(SyncStatus { phase, rate, lag, ..SyncStatus::default() });
    let mut begun = |event| sent(&tell(&mut model, [event])).len();
    assert_eq!(begun(sync(SyncPhase::Joining, None, 0.0)), 0);
    assert_eq!(begun(up(crate::engine::Server::Redis, "127.0.0.1:6379")), 0);
    assert_eq!(begun(up(crate::engine::Server::Cosmos, "127.0.0.1:8081")), 0);
    assert_eq!(begun(sync(SyncPhase::Running, None, 0.0)), 0);
    assert_eq!(begun(sync(SyncPhase::Running, Some(5_000), 900.0)), 0);
    assert_eq!(
        begun(sync(SyncPhase::Running, Some(3), 10.0)),
        1,
        "under traffic it is never quite at the end"
    );
    assert_eq!(begun(sync(SyncPhase::Running, Some(0), 10.0)), 0, "once");
}

#[test]
fn one_finding_alone_can_be_mended() {
    let mut model = running();
    keys(&mut model, "v");
    tell(&mut model, fixture::verified());
    assert!(sent(&keys(&mut model, "je")).is_empty(), "it asks first");
    assert!(fixture::text(&model).contains("writes exactly price:p-000555"), "{}", fixture::text(&model));
    let keys_of = Some(vec!["price:p-000555".to_owned()]);
    assert_eq!(sent(&keys(&mut model, "\n")), [&Command::Repair { keys: keys_of }]);
    keys(&mut model, "r");
    assert_eq!(sent(&keys(&mut model, "\n")), [&Command::Repair { keys: None }]);
}
