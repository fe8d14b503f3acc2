/**
 * Says whether casebridge may act on this instance, and who its integration user is.
 *
 * A clone of an instance has all records and settings of its source, with the same sys_ids. So the app remembers the
 * name of the instance that an administrator adopted. On every other instance it is silent: it sends no webhook and
 * answers no REST call.
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

    /** Records this instance as the one that casebridge belongs on. */
    adopt: function () {
        this.settings.setHomeInstance(this._instanceName());
    },

    /**
     * Returns why the app is silent here, as message and detail, or null if it may act. It needs the integration user
     * to tell AWS's texts from people's.
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

    /** Returns why the app is silent here in one line, or '' if it may act. */
    silence: function () {
        var problem = this.problem();
        return problem === null ? '' : problem.message + '. ' + problem.detail;
    },

    /** Whether the user of this session is the integration user. Compares sys_ids, since a user may be renamed. */
    isIntegrationUser: function () {
        return String(gs.getUserID()) === this.settings.integrationUser();
    },

    /** Returns the present user name of the integration user, or '' if there is no such user. */
    integrationUserName: function () {
        var sysId = this.settings.integrationUser();
        var user = new GlideRecord('sys_user');
        return sysId !== '' && user.get(sysId) ? String(user.getValue('user_name') || '') : '';
    },

    /**
     * Whether a user name belongs to another user or to the platform's own jobs. False for a name that no user has: it
     * may be a former name of the integration user.
     */
    isAnotherUser: function (userName) {
        if (userName === '' || userName === 'system') {
            return userName === 'system';
        }
        var user = this.userNamed(userName);
        return user !== null && String(user.getUniqueValue()) !== this.settings.integrationUser();
    },

    /** Returns the record of the user with this name, or null. */
    userNamed: function (userName) {
        var user = new GlideRecord('sys_user');
        return !CasebridgeRequest.SCRIPT.test(userName) && user.get('user_name', userName) ? user : null;
    },

    /**
     * Cleans up after a clone: deletes the outbox entries, which belong to the source, and the settings that came from
     * the source, with its signing secret. Keeps the settings if a data preserver has kept those of this instance.
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
