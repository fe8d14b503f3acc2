import { Record, UiAction } from '@servicenow/sdk/core'

// A clone has all records and settings of its source, and must not speak for it: until someone says that casebridge
// belongs here, the app is silent.
UiAction({
    $id: Now.ID['ui-action-adopt'],
    table: 'x_casebridge_aws_account',
    name: 'Adopt this instance',
    actionName: 'casebridge_adopt',
    hint: 'casebridge belongs on this instance: it may send webhooks and answer AWS',
    active: true,
    order: 100,
    // It writes the settings, which nobody else may change.
    roles: ['admin'],
    condition: '!new CasebridgeInstallation().isAdopted()',
    showQuery: true,
    list: { showBannerButton: true },
    script: Now.include('../server/ui-actions/adopt.js'),
})

// Clone preservers and clean-up scripts count on the source of a clone, and there only those that the clone's profile
// lists. Deliveries, announcements and links belong to the incidents and come along with them.
Record({
    $id: Now.ID['clone-preserver-settings'],
    table: 'clone_data_preserver',
    data: { name: 'casebridge settings', table: 'x_casebridge_aws_settings', theme: false },
})
Record({
    $id: Now.ID['clone-preserver-accounts'],
    table: 'clone_data_preserver',
    data: { name: 'casebridge accounts', table: 'x_casebridge_aws_account', theme: false },
})
Record({
    $id: Now.ID['clone-clean-up'],
    table: 'clone_cleanup_script',
    data: {
        name: 'casebridge: silence the clone',
        active: true,
        script: Now.include('../server/clone/clean_up.js'),
    },
})
