/**
 * Says whether casebridge may speak for this instance, and who its integration user is.
 *
 * A clone of an instance has all its records and settings, under the same sys_ids. So the app keeps the name of the
 * instance that an administrator adopted, and is silent wherever else it finds itself: no webhook, no REST answer.
 */
var CasebridgeInstallation = Class.create();

CasebridgeInstallation.prototype = {
    initialize: function () {
        this.settings = new CasebridgeSettings();
    },

    /** Whether an administrator has adopted this instance. */
    isAdopted: function () {
        var name = this._instanceName();
        return name !== '' && this.settings.homeInstance() === name;
    },

    /** Says that casebridge belongs on this instance. */
    adopt: function () {
        this.settings.setHomeInstance(this._instanceName());
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
                    'This is the instance ' + this._instanceName() + ', and the settings of casebridge are for "' +
                    this.settings.homeInstance() +
                    '". If casebridge belongs here, choose "Adopt this instance" on the list of accounts.'
            };
        }
        if (this.integrationUserName() === '') {
            return {
                message: 'The integration user is not known',
                detail: 'The settings of casebridge must name the integration user.'
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
        return String(gs.getUserID()) === this.settings.integrationUser();
    },

    /** The present user name of the integration user; '' if there is no such user. */
    integrationUserName: function () {
        var sysId = this.settings.integrationUser();
        var user = new GlideRecord('sys_user');
        return sysId !== '' && user.get(sysId) ? String(user.getValue('user_name') || '') : '';
    },

    /**
     * Whether a user name is somebody else's: another user's, or the platform's own jobs'. One that nobody bears may be a
     * former name of the integration user.
     */
    isAnotherUser: function (userName) {
        if (userName === '' || userName === 'system') {
            return userName === 'system';
        }
        var user = this.userNamed(userName);
        return user !== null && String(user.getUniqueValue()) !== this.settings.integrationUser();
    },

    /** The record of the user who bears this name, or null. */
    userNamed: function (userName) {
        var user = new GlideRecord('sys_user');
        return !CasebridgeRequest.SCRIPT.test(userName) && user.get('user_name', userName) ? user : null;
    },

    /**
     * For the clean-up of a clone: empties the outbox, whose entries are the source's, and the settings that came from
     * the source, its signing secret among them. Settings that a preserver kept are for this instance and stay.
     */
    cleanClone: function () {
        if (!this.isAdopted()) {
            this.settings.clear();
        }
        var entry = new GlideRecord('x_casebridge_aws_outbox');
        entry.deleteMultiple();
    },

    _instanceName: function () {
        return String(gs.getProperty('instance_name', '') || '').trim();
    },

    type: 'CasebridgeInstallation'
};
