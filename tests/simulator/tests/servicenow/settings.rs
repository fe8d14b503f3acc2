//! The settings of an administrator: who may change them, which addresses are allowed, and what keeps them.

use serde_json::json;

use crate::support::{Fixture, SETTINGS, WEBHOOK_KEY, WEBHOOK_URL, body, built_app, incident_in_scope, text};

/// Sends a webhook. Returns the outbox's text about it, and the addresses that got it.
fn attempt(fixture: &mut Fixture) -> (String, Vec<String>) {
    fixture.run_jobs();
    let row = fixture.instance.records("x_casebridge_aws_outbox", "").remove(0);
    let sent = fixture.sent().into_iter().map(|(url, _)| url).collect();
    (row.get("last_error").cloned().unwrap_or_default(), sent)
}

#[test]
fn webhooks_go_to_hosts_of_aws_and_to_those_that_are_allowed() {
    let form = "Webhook address: it must be an address that begins with https://";
    let stranger = "is no host of a Lambda Function URL or of API Gateway.";
    let port = "Webhook address: a1b2c3.lambda-url.eu-central-1.on.aws:8443 is no host of a Lambda Function URL";
    let plain = "Webhook address: hub.example.com is no host of a Lambda Function URL";
    let lambda = "https://a1b2c3.lambda-url.eu-central-1.on.aws";
    let gateway = "https://a1b2c3.execute-api.us-gov-west-1.amazonaws.com/prod/webhook";
    for (address, allowed, expected) in [
        (lambda, "", ""),
        (gateway, "", ""),
        ("https://A1B2C3.Lambda-URL.eu-central-1.on.aws/", "", ""),
        ("", "", form),
        ("http://a1b2c3.lambda-url.eu-central-1.on.aws/", "", form),
        ("ftp+https://a1b2c3.lambda-url.eu-central-1.on.aws/", "", form),
        ("https://user@a1b2c3.lambda-url.eu-central-1.on.aws/", "", form),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws/#x", "", form),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws?x", "", form),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws\\@example.com/", "", form),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws/ /", "", form),
        ("https://", "", form),
        ("https://Hub.example.com/x", "", plain),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws:8443/", "", port),
        ("https://a1b2c3.lambda-url.eu-central-1.on.aws.example.com/", "", stranger),
        ("https://example.com/a1b2c3.lambda-url.eu-central-1.on.aws", "", stranger),
        ("https://lambda-url.eu-central-1.on.aws/", "", stranger),
        ("https://a.b.lambda-url.eu-central-1.on.aws/", "", stranger),
        ("https://bucket.s3.eu-central-1.amazonaws.com/", "", stranger),
        ("https://a1b2c3.execute-api.eu-central-1.on.aws/", "", stranger),
        ("https://hub.example.com/", "hub.example.com", ""),
        ("https://hub.example.com:8443/x?y=1", "Other.example.com,\n HUB.example.com", ""),
        ("https://hub.example.com/", "example.com", stranger),
        ("https://hub.example.com./", "hub.example.com", stranger),
        ("https://127.0.0.1:9/", "127.0.0.1", ""),
        ("https://127.0.0.1:9/", "", stranger),
    ] {
        let mut fixture = Fixture::with_app();
        incident_in_scope(&mut fixture);
        fixture.set("webhook_url", address);
        fixture.set("allowed_hosts", allowed);
        let (said, sent) = attempt(&mut fixture);
        let is_sent = expected.is_empty();
        assert_eq!(said.is_empty(), is_sent, "{address} {allowed}: {said}");
        assert!(said.contains(expected), "{address} {allowed}: {said}");
        assert_eq!(sent, if is_sent { vec![address.split('?').next().unwrap()] } else { vec![] });
        // The rule on the settings decides the same.
        let settings = fixture.settings()["sys_id"].clone();
        fixture.set("webhook_url", "");
        let values = json!({"webhook_url": address, "allowed_hosts": allowed});
        let saved = fixture.update("admin", SETTINGS, &settings, &values);
        assert_eq!(saved.status == 200, is_sent || address.is_empty(), "{address} {allowed}: {}", text(&saved));
        assert!(saved.status == 200 || text(&saved).contains(expected), "{}", text(&saved));
    }
}

#[test]
fn white_space_around_an_address_and_a_secret_is_no_part_of_them() {
    let missing = "Set the webhook secret in the settings of casebridge: whsec_ and the base64 text of the key.";
    for (name, value, expected) in [
        ("webhook_url", format!("  {WEBHOOK_URL} "), ""),
        ("webhook_secret", " whsec_YSBrZXk= ".to_owned(), ""),
        ("webhook_secret", String::new(), missing),
        ("webhook_secret", "whsec_".to_owned(), missing),
        ("webhook_secret", "YSBrZXk=".to_owned(), missing),
        ("webhook_secret", "a whsec_YSBrZXk=".to_owned(), missing),
    ] {
        let mut fixture = Fixture::with_app();
        incident_in_scope(&mut fixture);
        fixture.set(name, &value);
        let (said, sent) = attempt(&mut fixture);
        assert_eq!(said, expected, "{name}={value}");
        assert_eq!(sent, if expected.is_empty() { vec![WEBHOOK_URL] } else { vec![] });
    }
}

#[test]
fn the_secret_is_decrypted_to_sign_and_shown_to_nobody() {
    let mut fixture = Fixture::with_app();
    let settings = fixture.settings()["sys_id"].clone();
    let row = "var row = new GlideRecord('x_casebridge_aws_settings'); row.query(); row.next();";
    let read = fixture.script(&format!("{row} [row.getValue('webhook_secret'), row.webhook_secret].join(' ')"));
    assert!(!read.contains("whsec_"), "{read}");
    assert!(fixture.script("new CasebridgeSettings().webhookSecret()").starts_with("whsec_"));
    let shown = fixture.call("admin", "GET", &format!("/api/now/table/{SETTINGS}/{settings}"), None);
    assert_eq!(shown.status, 200);
    assert!(!text(&shown).contains("whsec_"), "{}", text(&shown));
    // A script sets the secret as a display value. As a value it would not be encrypted.
    fixture.script(&format!(
        "{row} row.setValue('webhook_secret', 'whsec_plain'); row.webhook_secret = 'x'; row.update()"
    ));
    assert!(fixture.settings()["webhook_secret"].len() > WEBHOOK_KEY.len());
    fixture.script(&format!("{row} row.getElement('webhook_secret').setDisplayValue('whsec_new'); row.update()"));
    assert_eq!(fixture.script("new CasebridgeSettings().webhookSecret()"), "whsec_new");
}

#[test]
fn the_settings_are_the_administrators() {
    let mut fixture = Fixture::with_app();
    let settings = fixture.settings()["sys_id"].clone();
    let target = format!("/api/now/table/{SETTINGS}");
    let one = format!("{target}/{settings}");
    let change = json!({"integration_user": settings, "webhook_url": ""});
    for user in ["nobody", "agent", "reader", "casebridge"] {
        assert_eq!(fixture.call(user, "GET", &target, None).status, 403, "{user}");
        assert_eq!(fixture.call(user, "GET", &one, None).status, 404, "{user}");
    }
    let shown = fixture.call("keeper", "GET", &one, None);
    assert_eq!(body(&shown)["result"]["webhook_url"], WEBHOOK_URL);
    assert_eq!(body(&shown)["result"].get("webhook_secret"), None, "the app's administrator has no use for it");
    let before = fixture.settings();
    for user in ["nobody", "agent", "reader", "casebridge", "keeper"] {
        assert!(fixture.call(user, "PATCH", &one, Some(&change)).status >= 403, "{user}");
        assert!(fixture.call(user, "DELETE", &one, None).status >= 403, "{user}");
        assert!(fixture.call(user, "POST", &target, Some(&change)).status >= 403, "{user}");
    }
    assert_eq!(fixture.settings(), before);
    assert_eq!(fixture.call("admin", "PATCH", &one, Some(&change)).status, 200);
    assert_eq!(fixture.settings()["integration_user"], settings);
}

#[test]
fn there_is_one_row_of_settings() {
    let mut fixture = Fixture::with_app();
    let second = fixture.call("admin", "POST", &format!("/api/now/table/{SETTINGS}"), Some(&json!({})));
    assert_eq!(second.status, 403);
    assert!(text(&second).contains("There is one record of settings"), "{}", text(&second));
    // An import adds further rows all the same. The oldest one is read, and all can be changed.
    let values = [("webhook_url", "https://hub.example.com/"), ("sys_created_on", "2026-11-20 00:00:00")];
    for name in ["0".repeat(32), "f".repeat(32)] {
        fixture.put(SETTINGS, &name, &values);
        assert_eq!(fixture.script("new CasebridgeSettings().webhookUrl()"), WEBHOOK_URL);
        let other = fixture.update("admin", SETTINGS, &name, &json!({"webhook_url": ""}));
        assert_eq!(other.status, 200, "{}", text(&other));
    }
}

#[test]
fn without_the_row_nothing_is_set_and_adopting_makes_one() {
    let mut fixture = Fixture::with_app();
    let settings = fixture.settings()["sys_id"].clone();
    assert_eq!(fixture.call("admin", "DELETE", &format!("/api/now/table/{SETTINGS}/{settings}"), None).status, 204);
    let read = "var settings = new CasebridgeSettings();
        [settings.webhookUrl(), settings.allowedHosts(), settings.webhookSecret(), settings.integrationUser(),
            settings.homeInstance()].join('|')";
    assert_eq!(fixture.script(read), "||||");
    incident_in_scope(&mut fixture);
    assert_eq!(attempt(&mut fixture).1, Vec::<String>::new());
    assert!(fixture.instance.press(fixture.now, "admin", "Adopt this instance", &fixture.network).unwrap());
    assert_eq!(fixture.script(read), "||||casebridgedev");
}

#[test]
fn what_an_administrator_has_set_survives_an_upgrade() {
    let mut fixture = Fixture::with_app();
    let names = ["claim_seconds", "outbox_retention_days", "work_note_prefix", "comment_prefix", "silent_authors"];
    for name in names {
        fixture.instance.set_property(&format!("x_casebridge_aws.{name}"), "11");
    }
    let module = fixture.instance.records("sys_script_include", "name=CasebridgeOutbox").remove(0);
    fixture.put("sys_script_include", &module["sys_id"], &[("script", "changed")]);
    let before = (fixture.settings(), fixture.instance.records("sys_properties", "nameSTARTSWITHx_casebridge_aws."));
    assert_eq!(before.1.len(), names.len());
    fixture.instance.install(built_app());
    let after = (fixture.settings(), fixture.instance.records("sys_properties", "nameSTARTSWITHx_casebridge_aws."));
    assert_eq!(after, before);
    let upgraded = fixture.instance.records("sys_script_include", "name=CasebridgeOutbox").remove(0);
    assert_eq!(upgraded["script"], module["script"], "what is the app's is written anew");
}
