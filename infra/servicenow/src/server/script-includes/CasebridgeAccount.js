/**
 * Finds or makes the assignment group and the user of an AWS account that is about to be saved. Both are found by their
 * names, so that there is never a second one. What the platform refuses is told, and the account is saved without it.
 * Checks what the account says of how its cases are opened.
 */
var CasebridgeAccount = Class.create();

/** What the name of an account's group begins with. The account's name follows. */
CasebridgeAccount.GROUP_PREFIX = 'AWS-';
/** The most characters of a group's name, as the platform keeps it. */
CasebridgeAccount.GROUP_LIMIT = 80;
/** What the user name of an account's user begins with. The account's number follows. */
CasebridgeAccount.USER_PREFIX = 'aws-';
/** The first name of an account's user. Its last name is the account's name. */
CasebridgeAccount.FIRST_NAME = 'AWS';

/** The languages in which AWS Support answers, and the types of its cases. Source: AWS Support API, CreateCase. */
CasebridgeAccount.LANGUAGES = ['en', 'zh', 'fr', 'ja', 'ko', 'pt', 'es', 'tr'];
CasebridgeAccount.ISSUE_TYPES = ['technical', 'customer-service'];
/** The most addresses to which AWS Support sends copies of a case. Source: AWS Support API, CreateCase. */
CasebridgeAccount.CONTACTS_LIMIT = 10;
/** What stands between the addresses of a list. */
CasebridgeAccount.CONTACT_SEPARATOR = /[,;\r\n]/;
/** An e-mail address: characters of ASCII around one at sign, and a dot in what follows it. The functions ask the same. */
CasebridgeAccount.CONTACT = /^[a-z0-9!#$%&'*+\-\/=?^_`{|}~.]+@([a-z0-9-]+\.)+[a-z0-9-]+$/i;
/** The most characters of an e-mail address. Source: RFC 5321, 4.5.3.1.3. */
CasebridgeAccount.CONTACT_CHARACTERS = 254;

CasebridgeAccount.prototype = {
    /** `account` is the record that is about to be saved. */
    initialize: function (account) {
        this.account = account;
    },

    /** Whether casebridge may make the group and the user. */
    isConfigured: function () {
        return CasebridgeIncident.isTrue(this.account, 'configure_group');
    },

    /** Returns the sys_id of the account's group, or ''. */
    group: function () {
        return CasebridgeIncident.text(this.account, 'assignment_group');
    },

    /** Returns the number of another active account that the group belongs to, or ''. '' for an inactive account. */
    otherOwner: function (group) {
        // A value that is not a sys_id can't be the assignment group of an incident.
        if (!CasebridgeIncident.isTrue(this.account, 'active') || !CasebridgeRequest.SYS_ID.test(group)) {
            return '';
        }
        var other = new GlideRecord(CasebridgeIncident.ACCOUNTS);
        other.addQuery('active', true);
        other.addQuery('assignment_group', group);
        other.addQuery('sys_id', '!=', this.account.getUniqueValue());
        other.setLimit(1);
        other.query();
        return other.next() ? CasebridgeIncident.text(other, 'number') : '';
    },

    /** Returns why AWS Support would not open cases with what this account says of them, or '' if it would. */
    optionsProblem: function () {
        var options = CasebridgeIncident.options(this.account, '');
        var isKnown = function (codes, code) {
            return code.trim() === '' || codes.indexOf(code.trim().toLowerCase()) >= 0;
        };
        if (!isKnown(CasebridgeAccount.LANGUAGES, options.language)) {
            return 'Case language: AWS Support has the languages ' + CasebridgeAccount.LANGUAGES.join(', ') + '.';
        }
        if (!isKnown(CasebridgeAccount.ISSUE_TYPES, options.issue_type)) {
            return 'Issue type: AWS Support has the types ' + CasebridgeAccount.ISSUE_TYPES.join(' and ') + '.';
        }
        return this._contactsProblem(options.additional_contacts);
    },

    _contactsProblem: function (text) {
        var addresses = {};
        text.split(CasebridgeAccount.CONTACT_SEPARATOR).forEach(function (part) {
            var address = part.trim();
            if (address !== '') {
                addresses[address.toLowerCase()] = address;
            }
        });
        var keys = Object.keys(addresses);
        var wrong = keys.filter(function (key) {
            return key.length > CasebridgeAccount.CONTACT_CHARACTERS || !CasebridgeAccount.CONTACT.test(key);
        });
        if (wrong.length > 0) {
            return 'Additional contacts: ' + addresses[wrong[0]] + ' is no e-mail address.';
        }
        var limit = CasebridgeAccount.CONTACTS_LIMIT;
        return keys.length > limit ? 'Additional contacts: AWS Support takes at most ' + limit + ' addresses.' : '';
    },

    /**
     * Gives an account without a group its group and its user, if the account asks for them. An account whose group has
     * the name that casebridge gives gets what it lacks of them: the platform refused it the last time. Does nothing for
     * an account that will be refused.
     */
    setUp: function () {
        var number = CasebridgeIncident.text(this.account, 'number');
        var name = CasebridgeIncident.text(this.account, 'name').trim();
        if (!this.isConfigured() || name === '' || !CasebridgeIncident.ACCOUNT_NUMBER.test(number) || this._isTaken(number)) {
            return;
        }
        var group = this._groupNamed((CasebridgeAccount.GROUP_PREFIX + name).substring(0, CasebridgeAccount.GROUP_LIMIT));
        if (group === '' || this.otherOwner(group) !== '') {
            return;
        }
        var user = CasebridgeIncident.text(this.account, 'aws_user') || this._userNamed(CasebridgeAccount.USER_PREFIX + number, name);
        if (user !== '') {
            this.account.setValue('aws_user', user);
            this._record('sys_user_grmember', { user: user, group: group }, {}, 'the membership of the AWS user');
        }
    },

    // Whether another account has the number: the unique index will refuse this one.
    _isTaken: function (number) {
        var found = this._find(CasebridgeIncident.ACCOUNTS, { number: number });
        return found !== '' && found !== String(this.account.getUniqueValue());
    },

    // Returns the sys_id of the account's group if it has this name. Gives an account without a group the one of this
    // name. Returns '' if the account has another group, or none.
    _groupNamed: function (name) {
        var own = this.group();
        if (own === '') {
            var values = { description: 'Incidents of this group belong to an AWS account of casebridge.' };
            own = this._record('sys_user_group', { name: name }, values, 'the group ' + name);
            this.account.setValue('assignment_group', own);
            return own;
        }
        return this._find('sys_user_group', { name: name }) === own ? own : '';
    },

    _userNamed: function (userName, lastName) {
        var values = { first_name: CasebridgeAccount.FIRST_NAME, last_name: lastName, web_service_access_only: true };
        return this._record('sys_user', { user_name: userName }, values, 'the user ' + userName);
    },

    // Returns the sys_id of the record with this key. Makes it, with these values, if there is none. Returns '' after a
    // refusal of the platform, which is told.
    _record: function (table, key, values, what) {
        try {
            var found = this._find(table, key);
            if (found !== '') {
                return found;
            }
            var record = new GlideRecord(table);
            record.initialize();
            [key, values].forEach(function (part) {
                Object.keys(part).forEach(function (column) {
                    record.setValue(column, part[column]);
                });
            });
            var made = record.insert();
            return made ? String(made) : this._tell(what, String(record.getLastErrorMessage() || 'it gave no reason'));
        } catch (problem) {
            return this._tell(what, String(problem));
        }
    },

    // Returns the sys_id of the oldest record with this key, or ''.
    _find: function (table, key) {
        var record = new GlideRecord(table);
        Object.keys(key).forEach(function (column) {
            record.addQuery(column, key[column]);
        });
        record.orderBy('sys_created_on');
        record.setLimit(1);
        record.query();
        return record.next() ? String(record.getUniqueValue()) : '';
    },

    // Returns ''.
    _tell: function (what, problem) {
        var message = 'The instance refused ' + what + ': ' + problem + ' Create it by hand.';
        gs.addErrorMessage(message);
        gs.error('casebridge: ' + message);
        return '';
    },

    type: 'CasebridgeAccount'
};
