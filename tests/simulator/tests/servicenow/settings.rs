//! The settings of an administrator: the permission, the allowed addresses, and their survival.

use serde_json::json;

use crate::support::{SETTINGS, WEBHOOK_KEY, WEBHOOK_URL, World, body, built_app, incident_in_scope, text};

/// The outbox's text about the webhook, and the addresses that got it.
fn attempt(world: &mut World) -> (String, Vec<String>) {
    world.run_jobs();
    let row = world.instance.records("x_casebridge_aws_outbox", "").remove(0);
    let sent = world.sent().into_iter().map(|(url, _)| url).collect();
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
        let mut world = World::with_app();
        incident_in_scope(&mut world);
        world.set("webhook_url", address);
        world.set("allowed_hosts", allowed);
        let (said, sent) = attempt(&mut world);
        let is_sent = expected.is_empty();
        assert_eq!(said.is_empty(), is_sent, "{address} {allowed}: {said}");
        assert!(said.contains(expected), "{address} {allowed}: {said}");
        assert_eq!(sent, if is_sent { vec![address.split('?').next().unwrap()] } else { vec![] });
        // The rule on the settings knows the same.
        let settings = world.settings()["sys_id"].clone();
        world.set("webhook_url", "");
        let values = json!({"webhook_url": address, "allowed_hosts": allowed});
        let saved = world.update("admin", SETTINGS, &settings, &values);
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
        let mut world = World::with_app();
        incident_in_scope(&mut world);
        world.set(name, &value);
        let (said, sent) = attempt(&mut world);
        assert_eq!(said, expected, "{name}={value}");
        assert_eq!(sent, if expected.is_empty() { vec![WEBHOOK_URL] } else { vec![] });
    }
}

#[test]
fn the_secret_is_decrypted_to_sign_and_shown_to_nobody() {
    let mut world = World::with_app();
    let settings = world.settings()["sys_id"].clone();
    let row = "var row = new GlideRecord('x_casebridge_aws_settings'); row.query(); row.next();";
    let read = world.script(&format!("{row} [row.getValue('webhook_secret'), row.webhook_secret].join(' ')"));
    assert!(!read.contains("whsec_"), "{read}");
    assert!(world.script("new CasebridgeSettings().webhookSecret()").starts_with("whsec_"));
    let shown = world.call("admin", "GET", &format!("/api/now/table/{SETTINGS}/{settings}"), None);
    assert_eq!(shown.status, 200);
    assert!(!text(&shown).contains("whsec_"), "{}", text(&shown));
    // A script sets it as its text; as a value it would not be encrypted.
    world.script(&format!(
        "{row} row.setValue('webhook_secret', 'whsec_plain'); row.webhook_secret = 'x'; row.update()"
    ));
    assert!(world.settings()["webhook_secret"].len() > WEBHOOK_KEY.len());
    world.script(&format!("{row} row.getElement('webhook_secret').setDisplayValue('whsec_new'); row.update()"));
    assert_eq!(world.script("new CasebridgeSettings().webhookSecret()"), "whsec_new");
}

#[test]
fn the_settings_are_the_administrators() {
    let mut world = World::with_app();
    let settings = world.settings()["sys_id"].clone();
    let target = format!("/api/now/table/{SETTINGS}");
    let one = format!("{target}/{settings}");
    let change = json!({"integration_user": settings, "webhook_url": ""});
    for user in ["nobody", "agent", "reader", "casebridge"] {
        assert_eq!(world.call(user, "GET", &target, None).status, 403, "{user}");
        assert_eq!(world.call(user, "GET", &one, None).status, 404, "{user}");
    }
    let shown = world.call("keeper", "GET", &one, None);
    assert_eq!(body(&shown)["result"]["webhook_url"], WEBHOOK_URL);
    assert_eq!(body(&shown)["result"].get("webhook_secret"), None, "the app's administrator has no use for it");
    let before = world.settings();
    for user in ["nobody", "agent", "reader", "casebridge", "keeper"] {
        assert!(world.call(user, "PATCH", &one, Some(&change)).status >= 403, "{user}");
        assert!(world.call(user, "DELETE", &one, None).status >= 403, "{user}");
        assert!(world.call(user, "POST", &target, Some(&change)).status >= 403, "{user}");
    }
    assert_eq!(world.settings(), before);
    assert_eq!(world.call("admin", "PATCH", &one, Some(&change)).status, 200);
    assert_eq!(world.settings()["integration_user"], settings);
}

#[test]
fn there_is_one_row_of_settings() {
    let mut world = World::with_app();
    let second = world.call("admin", "POST", &format!("/api/now/table/{SETTINGS}"), Some(&json!({})));
    assert_eq!(second.status, 403);
    assert!(text(&second).contains("There is one record of settings"), "{}", text(&second));
    // An import brings some all the same: the oldest is read, and all can be changed.
    let values = [("webhook_url", "https://hub.example.com/"), ("sys_created_on", "2026-11-20 00:00:00")];
    for name in ["0".repeat(32), "f".repeat(32)] {
        world.put(SETTINGS, &name, &values);
        assert_eq!(world.script("new CasebridgeSettings().webhookUrl()"), WEBHOOK_URL);
        let other = world.update("admin", SETTINGS, &name, &json!({"webhook_url": ""}));
        assert_eq!(other.status, 200, "{}", text(&other));
    }
}

#[test]
fn without_the_row_nothing_is_set_and_adopting_makes_one() {
    let mut world = World::with_app();
    let settings = world.settings()["sys_id"].clone();
    assert_eq!(world.call("admin", "DELETE", &format!("/api/now/table/{SETTINGS}/{settings}"), None).status, 204);
    let read = "var settings = new CasebridgeSettings();
        [settings.webhookUrl(), settings.allowedHosts(), settings.webhookSecret(), settings.integrationUser(),
            settings.homeInstance()].join('|')";
    assert_eq!(world.script(read), "||||");
    incident_in_scope(&mut world);
    assert_eq!(attempt(&mut world).1, Vec::<String>::new());
    assert!(world.instance.press(world.now, "admin", "Adopt this instance", &world.network).unwrap());
    assert_eq!(world.script(read), "||||casebridgedev");
}

#[test]
fn what_an_administrator_has_set_survives_an_upgrade() {
    let mut world = World::with_app();
    for name in ["claim_seconds", "outbox_retention_days"] {
        world.instance.set_property(&format!("x_casebridge_aws.{name}"), "11");
    }
    let module = world.instance.records("sys_script_include", "name=CasebridgeOutbox").remove(0);
    world.put("sys_script_include", &module["sys_id"], &[("script", "changed")]);
    let before = (world.settings(), world.instance.records("sys_properties", "nameSTARTSWITHx_casebridge_aws."));
    assert_eq!(before.1.len(), 2);
    world.instance.install(built_app());
    let after = (world.settings(), world.instance.records("sys_properties", "nameSTARTSWITHx_casebridge_aws."));
    assert_eq!(after, before);
    let upgraded = world.instance.records("sys_script_include", "name=CasebridgeOutbox").remove(0);
    assert_eq!(upgraded["script"], module["script"], "what is the app's is written anew");
}
