import { Acl, CrossScopePrivilege } from '@servicenow/sdk/core'
import { admin, user } from './roles.now'

Acl({
    $id: Now.ID['acl-account-read'],
    type: 'record',
    table: 'x_casebridge_aws_account',
    operation: 'read',
    roles: [user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-account-create'],
    type: 'record',
    table: 'x_casebridge_aws_account',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-account-write'],
    type: 'record',
    table: 'x_casebridge_aws_account',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-account-delete'],
    type: 'record',
    table: 'x_casebridge_aws_account',
    operation: 'delete',
    roles: [admin],
    active: true,
    adminOverrides: true,
})

// The address, the secret and the integration user decide where the instance sends data and who may write to it. Only
// the platform's administrator may set them.
Acl({
    $id: Now.ID['acl-settings-read'],
    type: 'record',
    table: 'x_casebridge_aws_settings',
    operation: 'read',
    roles: [admin, 'admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-settings-create'],
    type: 'record',
    table: 'x_casebridge_aws_settings',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-settings-write'],
    type: 'record',
    table: 'x_casebridge_aws_settings',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-settings-delete'],
    type: 'record',
    table: 'x_casebridge_aws_settings',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-settings-webhook-secret-read'],
    type: 'record',
    table: 'x_casebridge_aws_settings',
    field: 'webhook_secret',
    operation: 'read',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})

// The outbox, the deliveries, the announcements and the links are written by the app's scripts alone. A table without an
// access control for an operation would follow the instance's default, so each has one for each.
Acl({
    $id: Now.ID['acl-outbox-read'],
    type: 'record',
    table: 'x_casebridge_aws_outbox',
    operation: 'read',
    roles: [user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-outbox-create'],
    type: 'record',
    table: 'x_casebridge_aws_outbox',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-outbox-write'],
    type: 'record',
    table: 'x_casebridge_aws_outbox',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-outbox-delete'],
    type: 'record',
    table: 'x_casebridge_aws_outbox',
    operation: 'delete',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-delivery-read'],
    type: 'record',
    table: 'x_casebridge_aws_delivery',
    operation: 'read',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-delivery-create'],
    type: 'record',
    table: 'x_casebridge_aws_delivery',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-delivery-write'],
    type: 'record',
    table: 'x_casebridge_aws_delivery',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-delivery-delete'],
    type: 'record',
    table: 'x_casebridge_aws_delivery',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-announcement-read'],
    type: 'record',
    table: 'x_casebridge_aws_announcement',
    operation: 'read',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-announcement-create'],
    type: 'record',
    table: 'x_casebridge_aws_announcement',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-announcement-write'],
    type: 'record',
    table: 'x_casebridge_aws_announcement',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-announcement-delete'],
    type: 'record',
    table: 'x_casebridge_aws_announcement',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-link-read'],
    type: 'record',
    table: 'x_casebridge_aws_link',
    operation: 'read',
    roles: [user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-link-create'],
    type: 'record',
    table: 'x_casebridge_aws_link',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-link-write'],
    type: 'record',
    table: 'x_casebridge_aws_link',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-link-delete'],
    type: 'record',
    table: 'x_casebridge_aws_link',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})

// The catalogue is read by who chooses from it, and written by the REST resource `catalogue` alone, whose scripts ask no
// access control.
Acl({
    $id: Now.ID['acl-service-read'],
    type: 'record',
    table: 'x_casebridge_aws_service',
    operation: 'read',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-service-create'],
    type: 'record',
    table: 'x_casebridge_aws_service',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-service-write'],
    type: 'record',
    table: 'x_casebridge_aws_service',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-service-delete'],
    type: 'record',
    table: 'x_casebridge_aws_service',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-category-read'],
    type: 'record',
    table: 'x_casebridge_aws_category',
    operation: 'read',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-category-create'],
    type: 'record',
    table: 'x_casebridge_aws_category',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-category-write'],
    type: 'record',
    table: 'x_casebridge_aws_category',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-category-delete'],
    type: 'record',
    table: 'x_casebridge_aws_category',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-severity-read'],
    type: 'record',
    table: 'x_casebridge_aws_severity',
    operation: 'read',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-severity-create'],
    type: 'record',
    table: 'x_casebridge_aws_severity',
    operation: 'create',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-severity-write'],
    type: 'record',
    table: 'x_casebridge_aws_severity',
    operation: 'write',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-severity-delete'],
    type: 'record',
    table: 'x_casebridge_aws_severity',
    operation: 'delete',
    roles: ['admin'],
    active: true,
    adminOverrides: true,
})

// The columns that tie an incident to its case. Anybody who can write these columns can point an incident at any case.
// The integration user writes them only through the REST API, whose scripts check no access control. `create` needs its
// own access control: `write` covers later changes only.
Acl({
    $id: Now.ID['acl-incident-account'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_account',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-account-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_account',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-case-id'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_case_id',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-case-id-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_case_id',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-display-id'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_display_id',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-display-id-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_display_id',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-case-status'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_case_status',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-case-status-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_case_status',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-sync-status'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_sync_status',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-sync-status-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_sync_status',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-last-error'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_last_error',
    operation: 'write',
    roles: [admin],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-last-error-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_last_error',
    operation: 'create',
    roles: [admin],
    active: true,
    adminOverrides: true,
})

// Service and category put an incident in scope, and its text is then sent to AWS: that is for agents. Some instances let
// others make incidents, too.
Acl({
    $id: Now.ID['acl-incident-service-code-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_service_code',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-service-code-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_service_code',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-category-code-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_category_code',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-category-code-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_category_code',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-service-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_service',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-service-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_service',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-category-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_category',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-category-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_category',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-additional-contacts-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_additional_contacts',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-additional-contacts-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_additional_contacts',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-language-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_language',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-language-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_language',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-issue-type-write'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_issue_type',
    operation: 'write',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})
Acl({
    $id: Now.ID['acl-incident-issue-type-create'],
    type: 'record',
    table: 'incident',
    field: 'x_casebridge_aws_issue_type',
    operation: 'create',
    roles: ['itil', user],
    active: true,
    adminOverrides: true,
})

CrossScopePrivilege({
    $id: Now.ID['privilege-incident-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'incident',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-incident-create'],
    status: 'allowed',
    operation: 'create',
    targetName: 'incident',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-incident-write'],
    status: 'allowed',
    operation: 'write',
    targetName: 'incident',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-journal-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_journal_field',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-user-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_user',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-group-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_user_group',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
// For the set-up of an account: its group, its user, and that the one is in the other.
CrossScopePrivilege({
    $id: Now.ID['privilege-group-create'],
    status: 'allowed',
    operation: 'create',
    targetName: 'sys_user_group',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-user-create'],
    status: 'allowed',
    operation: 'create',
    targetName: 'sys_user',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-membership-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_user_grmember',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-membership-create'],
    status: 'allowed',
    operation: 'create',
    targetName: 'sys_user_grmember',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-choice-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_choice',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
// The order of two things within one second is in the audit trail alone. Where it can't be read, times remain.
CrossScopePrivilege({
    $id: Now.ID['privilege-audit-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_audit',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
// The files of incidents. The platform's own class writes them, as the app.
CrossScopePrivilege({
    $id: Now.ID['privilege-attachment-read'],
    status: 'allowed',
    operation: 'read',
    targetName: 'sys_attachment',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
CrossScopePrivilege({
    $id: Now.ID['privilege-attachment-create'],
    status: 'allowed',
    operation: 'create',
    targetName: 'sys_attachment',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
// For a file of AWS that arrived in part.
CrossScopePrivilege({
    $id: Now.ID['privilege-attachment-delete'],
    status: 'allowed',
    operation: 'delete',
    targetName: 'sys_attachment',
    targetScope: 'global',
    targetType: 'sys_db_object',
})
