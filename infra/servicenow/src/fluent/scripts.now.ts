import { BusinessRule, ScheduledScript, ScriptInclude } from '@servicenow/sdk/core'

ScriptInclude({
    $id: Now.ID['script-include-incident'],
    name: 'CasebridgeIncident',
    description: 'Shows an incident as the REST API does.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeIncident.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-sharing'],
    name: 'CasebridgeSharing',
    description: 'Decides which texts of an incident go to AWS.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeSharing.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-settings'],
    name: 'CasebridgeSettings',
    description: 'Reads what an administrator has set.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeSettings.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-installation'],
    name: 'CasebridgeInstallation',
    description: 'Says whether casebridge may speak for this instance, and who its integration user is.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeInstallation.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-announcement'],
    name: 'CasebridgeAnnouncement',
    description: 'Remembers which incidents AWS has heard of.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeAnnouncement.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-trail'],
    name: 'CasebridgeTrail',
    description: 'Tells in which update of an incident something happened.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeTrail.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-webhook'],
    name: 'CasebridgeWebhook',
    description: 'Signs a webhook and sends it once.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeWebhook.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-outbox'],
    name: 'CasebridgeOutbox',
    description: 'Keeps webhooks until they have been accepted.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeOutbox.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-claim'],
    name: 'CasebridgeClaim',
    description: 'Keeps what comes from AWS from being written twice.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeClaim.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-file'],
    name: 'CasebridgeFile',
    description: 'Reads the files of an incident, and writes files to it, each once.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeFile.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-delivery'],
    name: 'CasebridgeDelivery',
    description: 'Writes messages, each once, and fields to an incident.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeDelivery.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-opening'],
    name: 'CasebridgeOpening',
    description: 'Opens the incident of a case that somebody opened at AWS.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeOpening.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-link'],
    name: 'CasebridgeLink',
    description: 'Keeps how each link of an incident does, and tells the worst of them.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeLink.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-changes'],
    name: 'CasebridgeChanges',
    description: 'Lists the incidents that changed since a moment.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeChanges.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-catalogue'],
    name: 'CasebridgeCatalogue',
    description: 'Keeps what AWS Support offers, and tells the codes of what an agent has chosen.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeCatalogue.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-account'],
    name: 'CasebridgeAccount',
    description: 'Finds or makes the assignment group and the user of an AWS account, and checks its defaults for cases.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeAccount.js'),
})

ScriptInclude({
    $id: Now.ID['script-include-request'],
    name: 'CasebridgeRequest',
    description: 'Reads requests of the REST API and answers them.',
    active: true,
    script: Now.include('../server/script-includes/CasebridgeRequest.js'),
})

// A scoped app may hook a global table with asynchronous rules only. Both conditions are evaluated when the record is
// saved, in the session of the person who saved it: that is where echoes of the integration user are kept out.
BusinessRule({
    $id: Now.ID['business-rule-incident-changed'],
    name: 'casebridge incident changed',
    description: 'Announces incidents that have an AWS case, or should have one.',
    table: 'incident',
    when: 'async',
    action: ['insert', 'update'],
    active: true,
    order: 1000,
    filterCondition:
        'x_casebridge_aws_case_idISNOTEMPTY^ORx_casebridge_aws_serviceISNOTEMPTY^ORx_casebridge_aws_serviceVALCHANGES^ORx_casebridge_aws_service_codeISNOTEMPTY^ORx_casebridge_aws_service_codeVALCHANGES^EQ',
    condition: '!new CasebridgeInstallation().isIntegrationUser()',
    script: Now.include('../server/business-rules/incident_changed.js'),
})

// A file of an incident that is out of scope is left alone by the script. An update may be the end of a scan.
BusinessRule({
    $id: Now.ID['business-rule-file-attached'],
    name: 'casebridge file attached',
    description: 'Announces incidents that get a file.',
    table: 'sys_attachment',
    when: 'async',
    action: ['insert', 'update'],
    active: true,
    order: 1000,
    filterCondition: 'table_name=incident^EQ',
    condition: '!new CasebridgeInstallation().isIntegrationUser()',
    script: Now.include('../server/business-rules/file_attached.js'),
})

// It runs first, so that the rule after it looks at the group that was found.
BusinessRule({
    $id: Now.ID['business-rule-account-set-up'],
    name: 'casebridge account set-up',
    description: 'Finds or makes the group and the user of an account that is saved without them.',
    table: 'x_casebridge_aws_account',
    when: 'before',
    action: ['insert', 'update'],
    active: true,
    order: 50,
    script: Now.include('../server/business-rules/account_set_up.js'),
})

BusinessRule({
    $id: Now.ID['business-rule-account-valid'],
    name: 'casebridge account valid',
    description: 'Refuses account numbers that are none, defaults for cases that AWS does not know, no group, and a group that belongs to another active account.',
    table: 'x_casebridge_aws_account',
    when: 'before',
    action: ['insert', 'update'],
    active: true,
    order: 100,
    script: Now.include('../server/business-rules/account_valid.js'),
})

BusinessRule({
    $id: Now.ID['business-rule-settings-valid'],
    name: 'casebridge settings valid',
    description: 'Refuses a second record of settings, and an address that webhooks may not go to.',
    table: 'x_casebridge_aws_settings',
    when: 'before',
    action: ['insert', 'update'],
    active: true,
    order: 100,
    script: Now.include('../server/business-rules/settings_valid.js'),
})

ScheduledScript({
    $id: Now.ID['job-outbox'],
    name: 'casebridge outbox',
    active: true,
    frequency: 'periodically',
    executionInterval: { minutes: 1 },
    executionStart: '2026-01-01 00:00:00',
    timeZone: 'UTC',
    script: Now.include('../server/jobs/outbox.js'),
})
