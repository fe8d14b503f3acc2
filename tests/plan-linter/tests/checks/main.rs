//! A plan by hand for each check, in which that check alone finds a fault; and plans without a fault.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod incident;
mod record;
mod scene;

use casebridge_plan_linter::{Check, Severity};

use crate::scene::Scene;

/// What a row changes in a scene.
type Change = fn(&mut Scene);
/// A check, a scene with a plan without a fault, and a change that gives the plan just the fault of the check.
type Row = (Check, fn() -> Scene, Change);

fn rows() -> Vec<Row> {
    [record::rows(), incident::rows()].concat()
}

#[test]
fn nothing_is_wrong_with_these_plans() {
    for (name, scene) in
        [("clean", Scene::clean as fn() -> Scene), ("opening", Scene::opening), ("ending", Scene::ending)]
    {
        assert_eq!(scene().checks(), [], "{name}");
    }
}

#[test]
fn each_check_finds_its_fault_and_no_other_one_does() {
    let mut wrong = Vec::new();
    for (row, (check, scene, change)) in rows().into_iter().enumerate() {
        let mut scene = scene();
        change(&mut scene);
        if scene.checks() != [check] {
            wrong.push(format!("row {row}: {check:?} expected, {:?} found", scene.checks()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_check_has_a_plan() {
    let mut tried: Vec<Check> = rows().into_iter().map(|(check, _, _)| check).collect();
    tried.sort();
    tried.dedup();
    assert_eq!(tried, casebridge_plan_linter::CHECKS);
}

#[test]
fn what_breaks_a_promise_is_worse_than_what_costs_a_call() {
    assert_eq!(Check::SecondCase.severity(), Severity::Fatal);
    assert_eq!(Check::MessageTwice.severity(), Severity::Wasteful);
    assert_eq!(Check::WaitTwice.severity(), Severity::Odd);
    assert!(Severity::Fatal > Severity::Wasteful && Severity::Wasteful > Severity::Odd);
}

#[test]
fn a_finding_tells_its_severity_and_its_place() {
    let mut scene = Scene::clean();
    scene.double(true);
    scene.plan.effects[1] = scene::resolve("case-111122223333-muen-2026-1111111111111111");
    let findings = casebridge_plan_linter::lint(&scene.policy, &scene.pass, &scene.plan, scene.now);
    assert_eq!(findings[0].to_string(), "CallToUnknownCase (Fatal): effect 2, resolve_case");
}
