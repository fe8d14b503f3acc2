/**
 * Says whether casebridge may speak for this instance, and who its integration user is.
 *
 * A clone of an instance has all its records and settings, under the same sys_ids. So the app keeps the name of the
 * instance that an administrator adopted, and is silent wherever else it finds itself: no webhook, no REST answer.
 */
var CasebridgeInstallation = Class.create();

CasebridgeInstallation.HOME_INSTANCE = 'x_casebridge_aws.home_instance';
CasebridgeInstallation.INTEGRATION_USER = 'x_casebridge_aws.integration_user';
CasebridgeInstallation.WEBHOOK_URL = 'x_casebridge_aws.webhook_url';

CasebridgeInstallation.prototype = {
    initialize: function () {},

    /** Whether an administrator has adopted this instance. */
    isAdopted: function () {
        var name = this._instanceName();
        return name !== '' && this._property(CasebridgeInstallation.HOME_INSTANCE) === name;
    },

    /** Says that casebridge belongs on this instance. */
    adopt: function () {
        gs.setProperty(CasebridgeInstallation.HOME_INSTANCE, this._instanceName());
    },

    /**
     * Why the app is silent here, as message and detail, or null where it may speak. Without the integration user it
     * could not tell AWS's words from people's, so it tells nothing rather than something wrong.
     */
    problem: function () {
        if (!this.isAdopted()) {
            return {
                message: 'This instance has not been adopted',
                detail:
                    'This is the instance ' + this._instanceName() + ', and the property ' +
                    CasebridgeInstallation.HOME_INSTANCE + ' says "' +
                    this._property(CasebridgeInstallation.HOME_INSTANCE) +
                    '". If casebridge belongs here, choose "Adopt this instance" on the list of accounts.'
            };
        }
        if (this.integrationUserName() === '') {
            return {
                message: 'The integration user is not known',
                detail:
                    'The property ' + CasebridgeInstallation.INTEGRATION_USER +
                    ' must hold the sys_id of the integration user.'
            };
        }
        return null;
    },

    /** The same in one line; '' where the app may speak. */
    silence: function () {
        var problem = this.problem();
        return problem === null ? '' : problem.message + '. ' + problem.detail;
    },

    /** Whether the user of this session is the integration user. A user keeps its sys_id when it is renamed. */
    isIntegrationUser: function () {
        return gs.getUserID() === this._property(CasebridgeInstallation.INTEGRATION_USER);
    },

    /** The present user name of the integration user; '' if there is no such user. */
    integrationUserName: function () {
        var sysId = this._property(CasebridgeInstallation.INTEGRATION_USER);
        var user = new GlideRecord('sys_user');
        return sysId !== '' && user.get(sysId) ? String(user.getValue('user_name') || '') : '';
    },

    /**
     * Whether a user name is somebody else's: another user's, or the platform's own jobs'. One that nobody bears may be a
     * former name of the integration user.
     */
    isAnotherUser: function (userName) {
        var user = new GlideRecord('sys_user');
        if (userName === '' || userName === 'system') {
            return userName === 'system';
        }
        return (
            user.get('user_name', userName) &&
            user.getUniqueValue() !== this._property(CasebridgeInstallation.INTEGRATION_USER)
        );
    },

    /**
     * For the clean-up of a clone: empties the outbox, whose entries are the source's, and the settings that came from
     * the source. Settings that a preserver kept name this instance and stay.
     */
    cleanClone: function () {
        if (!this.isAdopted()) {
            gs.setProperty(CasebridgeInstallation.HOME_INSTANCE, '');
            gs.setProperty(CasebridgeInstallation.WEBHOOK_URL, '');
        }
        var entry = new GlideRecord('x_casebridge_aws_outbox');
        entry.query();
        entry.deleteMultiple();
    },

    _instanceName: function () {
        return this._property('instance_name');
    },

    _property: function (name) {
        return String(gs.getProperty(name, '') || '').trim();
    },

    type: 'CasebridgeInstallation'
};
