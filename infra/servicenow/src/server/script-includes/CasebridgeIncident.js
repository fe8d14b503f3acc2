/**
 * Produces the snapshot of an incident for the REST API: its fields, the accounts of its assignment group and of its
 * case, and the texts of its journal that go to AWS, from a point on, oldest first. What stays at home is left out
 * (`CasebridgeSharing`). It cuts no text: texts that do not fit follow on the next page.
 */
var CasebridgeIncident = Class.create();

CasebridgeIncident.PREFIX = 'x_casebridge_aws_';
/**
 * The most characters of the texts that are read for one page: far below the 10 MB that the platform allows for one body,
 * and read in a fraction of the 60 seconds that it allows for a call. At least one text is read, of any length.
 */
CasebridgeIncident.PAGE_CHARACTERS = 200000;
/**
 * The most texts that are read for one page, shown or not: even a short text costs some work. The platform's own form
 * shows as many (glide.history.max_entries).
 */
CasebridgeIncident.PAGE_ENTRIES = 250;
/** The most close codes that a snapshot shows: ten times as many as the platform brings, in 4 kB of an answer. */
CasebridgeIncident.CLOSE_CODES_LIMIT = 100;
CasebridgeIncident.ACCOUNTS = 'x_casebridge_aws_account';
CasebridgeIncident.ACCOUNT_NUMBER = /^[0-9]{12}$/;
/**
 * The most accounts of a group that a snapshot names: one active account, and far more former ones than a group gets.
 */
CasebridgeIncident.GROUP_ACCOUNTS_LIMIT = 100;
/** The most deliveries that one answer names. A worker makes fewer before it records them: 25 times 25 messages. */
CasebridgeIncident.DELIVERIES_LIMIT = 1000;
/** The most files of an incident that a snapshot shows: many more than people attach, and 150 kB of an answer. */
CasebridgeIncident.ATTACHMENTS_LIMIT = 300;
CasebridgeIncident.STATE_RESOLVED = '6';
CasebridgeIncident.STATE_CLOSED = '7';
CasebridgeIncident.STATE_CANCELLED = '8';

/** Replaces each unpaired surrogate by a replacement character, since parsers refuse JSON that holds one. */
CasebridgeIncident.wellFormed = function (text) {
    return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, function (characters) {
        return characters.length === 2 ? characters : '\ufffd';
    });
};

/** Returns the value of a record's column as text, or '' if it has none. */
CasebridgeIncident.text = function (record, name) {
    var value = record.getValue(name);
    return value === null || value === undefined ? '' : CasebridgeIncident.wellFormed(String(value));
};

/** Whether a true/false column of a record is true. */
CasebridgeIncident.isTrue = function (record, name) {
    var value = CasebridgeIncident.text(record, name);
    return value === '1' || value === 'true';
};

/** Sets a record's column to a text. Returns whether the column had another text. */
CasebridgeIncident.put = function (record, name, text) {
    if (CasebridgeIncident.text(record, name) === text) {
        return false;
    }
    record.setValue(name, text);
    return true;
};

/** Inserts or updates a record: `operation` is `insert` or `update`. Returns '' or why the instance refused it. */
CasebridgeIncident.save = function (record, operation) {
    try {
        if (record[operation]()) {
            return '';
        }
    } catch (problem) {
        return String(problem);
    }
    return String(record.getLastErrorMessage() || 'the table gave no reason');
};

/** Returns what a record says of how its cases are opened, as it was typed. The names of the columns begin with `prefix`. */
CasebridgeIncident.options = function (record, prefix) {
    return {
        additional_contacts: CasebridgeIncident.text(record, prefix + 'additional_contacts'),
        language: CasebridgeIncident.text(record, prefix + 'language'),
        issue_type: CasebridgeIncident.text(record, prefix + 'issue_type')
    };
};

/** Returns the text in a form to compare: the platform may change its line ends and the white space around it. */
CasebridgeIncident.comparable = function (text) {
    return text.replace(/\r\n?/g, '\n').trim();
};

CasebridgeIncident.prototype = {
    initialize: function () {
        this.announcements = new CasebridgeAnnouncement();
        this.authors = {};
        this.deliverers = {};
        this.installation = new CasebridgeInstallation();
        this.integrationUser = null;
        this.links = new CasebridgeLink();
        this.sharing = new CasebridgeSharing();
    },

    /** Returns the incident's record, or null. */
    find: function (sysId) {
        var incident = new GlideRecord('incident');
        return incident.get(sysId) ? incident : null;
    },

    /**
     * Returns the incident as it is now, with its first texts for AWS after the point (since, after), or from `since` on
     * if `after` is empty, or from the first text on if both are. `kind` is the kind of the link that asks: the snapshot
     * shows the columns that this kind writes. `takenAt` is a moment before the record was read, so that a snapshot is
     * not older than it says.
     */
    show: function (incident, kind, takenAt, since, after) {
        var trail = new CasebridgeTrail(incident);
        var shown = this._fields(incident, takenAt, trail);
        shown.columns = this._columns(incident, kind);
        var page = this._entries(shown.sys_id, since, after);
        // The trail has the texts as they were written, with their prefixes.
        trail.number(page.entries);
        shown.entries_since = since;
        shown.entries = page.entries.map(this._shown, this);
        shown.entries_complete = page.next === null;
        shown.entries_next = page.next;
        var files = this._attachments(shown.sys_id);
        var first = files.slice(0, CasebridgeIncident.ATTACHMENTS_LIMIT);
        shown.attachments = first.filter(this._isFileShown, this);
        shown.attachments_complete = files.length === first.length;
        return shown;
    },

    /**
     * Returns the external_ids of the messages whose delivery to the incident began at `since` or later, or of all if it
     * is empty, newest first. They show what an interrupted pass delivered and did not record.
     */
    deliveries: function (incidentId, since) {
        var row = new GlideRecord(CasebridgeClaim.TABLE);
        CasebridgeClaim.narrow(row, incidentId);
        if (since !== '') {
            row.addQuery('claimed_at', '>=', since);
        }
        row.orderByDesc('claimed_at');
        row.orderBy('external_id');
        row.setLimit(CasebridgeIncident.DELIVERIES_LIMIT);
        row.query();
        var names = [];
        while (row.next()) {
            var name = this._text(row, 'external_id');
            if (!CasebridgeFile.isNameOfFile(name)) {
                names.push(name);
            }
        }
        return names;
    },

    /** Whether the incident has an AWS case. */
    isLinked: function (incident) {
        return this._text(incident, CasebridgeIncident.PREFIX + 'case_id') !== '';
    },

    /** Whether the incident should have an AWS case. */
    isInScope: function (incident) {
        var codes = this._codes(incident);
        return (
            codes.service_code !== '' &&
            codes.category_code !== '' &&
            this._active(this._groupAccounts(incident)) !== null
        );
    },

    /**
     * Whether AWS may see the incident: it is linked, in scope, or AWS knows of it. After the first time it always may,
     * since AWS may have opened a case for the incident.
     */
    isServed: function (incident) {
        if (this.isLinked(incident) || this.isInScope(incident)) {
            this.announcements.note(incident.getUniqueValue());
            return true;
        }
        return this.announcements.isKnown(incident.getUniqueValue());
    },

    _fields: function (incident, takenAt, trail) {
        var state = this._text(incident, 'state');
        var ended = trail.ended();
        var closed = trail.closed();
        var accounts = this._groupAccounts(incident);
        var codes = this._codes(incident);
        var isClosed = state === CasebridgeIncident.STATE_CLOSED || state === CasebridgeIncident.STATE_CANCELLED;
        return {
            sys_id: String(incident.getUniqueValue()),
            number: this._text(incident, 'number'),
            sys_mod_count: parseInt(this._text(incident, 'sys_mod_count') || '0', 10),
            state: state,
            hold_reason: this._text(incident, 'hold_reason'),
            resolved_at: this._resolvedAt(incident),
            ended_mod_count: ended === null ? null : ended.count,
            ended_by_another: ended !== null && this.installation.isAnotherUser(ended.user),
            closed_at: isClosed ? this._text(incident, 'closed_at') : '',
            closed_mod_count: closed === null ? null : closed.count,
            has_close_code: this._text(incident, 'close_code').trim() !== '',
            has_close_notes: this._text(incident, 'close_notes').trim() !== '',
            close_codes: this._closeCodes(),
            taken_at: takenAt,
            updated_on: this._text(incident, 'sys_updated_on'),
            account: this._shownAccount(this._active(accounts)),
            group_accounts: accounts.map(function (account) {
                return account.number;
            }),
            linked_account_state: this._linkedAccountState(incident),
            service_code: codes.service_code,
            category_code: codes.category_code,
            options: CasebridgeIncident.options(incident, CasebridgeIncident.PREFIX),
            caller_email: this._callerEmail(incident, accounts),
            short_description: this._text(incident, 'short_description'),
            description: this._text(incident, 'description'),
            priority: this._text(incident, 'priority')
        };
    },

    _columns: function (incident, kind) {
        var columns = this.links.shown(incident, kind);
        CasebridgeLink.ownColumns(kind).forEach(function (name) {
            columns[name] = this._text(incident, CasebridgeIncident.PREFIX + name);
        }, this);
        return columns;
    },

    // Returns the time of resolution as the platform keeps it. On some instances that is the first of several.
    _resolvedAt: function (incident) {
        var state = this._text(incident, 'state');
        var closedAt = this._text(incident, 'closed_at');
        if (state === CasebridgeIncident.STATE_CANCELLED) {
            return closedAt || this._text(incident, 'sys_updated_on');
        }
        if (state === CasebridgeIncident.STATE_RESOLVED || state === CasebridgeIncident.STATE_CLOSED) {
            return this._text(incident, 'resolved_at') || closedAt || this._text(incident, 'sys_updated_on');
        }
        return '';
    },

    // Returns the active one of a group's accounts, or null.
    _active: function (accounts) {
        var first = accounts[0];
        return first && first.active ? first : null;
    },

    // Returns the account as a snapshot shows it, or null.
    _shownAccount: function (account) {
        if (account === null) {
            return null;
        }
        return {
            number: account.number,
            name: account.name,
            production: account.production,
            severities: CasebridgeCatalogue.severityCodes(account.sys_id),
            options: account.options
        };
    },

    // Returns the e-mail address of the incident's caller if its account asks for copies to callers, or else ''. An address
    // that nobody asked for stays at home.
    _callerEmail: function (incident, accounts) {
        var account = this._active(accounts);
        var caller = this._text(incident, 'caller_id');
        var user = new GlideRecord('sys_user');
        var isCopied = account !== null && account.copy_caller && CasebridgeRequest.SYS_ID.test(caller);
        return isCopied && user.get(caller) ? this._text(user, 'email') : '';
    },

    // Returns the codes of service and category: those of the rows that the agent has chosen, or else those that are in
    // the code columns. Both may be empty.
    _codes: function (incident) {
        var chosen = CasebridgeCatalogue.chosen(incident);
        var codes = {};
        CasebridgeCatalogue.CHOICES.forEach(function (choice) {
            codes[choice.code] = chosen[choice.code] || this._text(incident, CasebridgeIncident.PREFIX + choice.code);
        }, this);
        return codes;
    },

    // Returns the accounts of the assignment group, the active one first.
    _groupAccounts: function (incident) {
        var group = this._text(incident, 'assignment_group');
        var accounts = [];
        if (!CasebridgeRequest.SYS_ID.test(group)) {
            return accounts;
        }
        var account = new GlideRecord(CasebridgeIncident.ACCOUNTS);
        account.addQuery('assignment_group', group);
        account.orderByDesc('active');
        account.orderBy('number');
        account.setLimit(CasebridgeIncident.GROUP_ACCOUNTS_LIMIT);
        account.query();
        while (account.next()) {
            accounts.push({
                sys_id: String(account.getUniqueValue()),
                number: this._text(account, 'number'),
                name: this._text(account, 'name'),
                production: CasebridgeIncident.isTrue(account, 'production'),
                active: CasebridgeIncident.isTrue(account, 'active'),
                copy_caller: CasebridgeIncident.isTrue(account, 'copy_caller'),
                options: CasebridgeIncident.options(account, '')
            });
        }
        return accounts;
    },

    // Returns the state of the account in the incident's column: active, inactive or missing, or '' if the column is
    // empty.
    _linkedAccountState: function (incident) {
        var number = this._text(incident, CasebridgeIncident.PREFIX + 'account');
        if (number === '') {
            return '';
        }
        var account = new GlideRecord(CasebridgeIncident.ACCOUNTS);
        if (!CasebridgeIncident.ACCOUNT_NUMBER.test(number) || !account.get('number', number)) {
            return 'missing';
        }
        return CasebridgeIncident.isTrue(account, 'active') ? 'active' : 'inactive';
    },

    _closeCodes: function () {
        var codes = this._choices('incident');
        // If incident does not define a choice list itself, it uses that of task.
        return codes.length > 0 ? codes : this._choices('task');
    },

    _choices: function (table) {
        var choice = new GlideRecord('sys_choice');
        choice.addQuery('name', table);
        choice.addQuery('element', 'close_code');
        choice.addQuery('inactive', false);
        choice.orderBy('sequence');
        choice.query();
        var values = [];
        while (choice.next() && values.length < CasebridgeIncident.CLOSE_CODES_LIMIT) {
            var value = this._text(choice, 'value');
            // There is one row for each language.
            if (value !== '' && values.indexOf(value) < 0) {
                values.push(value);
            }
        }
        return values;
    },

    // Returns the first texts for AWS after the point, oldest first, and the point that the next page begins after: the
    // last text that was read, whether it is for AWS or not. That is null if the newest text was read.
    _entries: function (incidentId, since, after) {
        var entry = this._journal(incidentId, since, after);
        var entries = [];
        var characters = 0;
        var read = 0;
        var last = null;
        var isFull = false;
        while (!isFull && entry.next()) {
            characters += this._text(entry, 'value').length;
            var fits = characters <= CasebridgeIncident.PAGE_CHARACTERS && read < CasebridgeIncident.PAGE_ENTRIES;
            if (read > 0 && !fits) {
                isFull = true;
            } else {
                read += 1;
                last = { since: this._text(entry, 'sys_created_on'), after: String(entry.getUniqueValue()) };
                entries.push(this._entry(entry));
            }
        }
        entries = entries.filter(this._mayBeShown);
        this._tellWhose(entries);
        return { entries: entries.filter(this._isShown), next: isFull ? last : null };
    },

    // Returns the rows of the incident's journal after the point, oldest first: as many as one page may read, and one
    // more, to find out whether there are more.
    _journal: function (incidentId, since, after) {
        var entry = new GlideRecord('sys_journal_field');
        entry.addQuery('element_id', incidentId);
        entry.addQuery('element', 'IN', this.sharing.elements().join(','));
        if (since !== '') {
            entry.addQuery('sys_created_on', '>=', since);
        }
        if (after !== '') {
            entry.addQuery('sys_created_on', '>', since).addOrCondition('sys_id', '>', after);
        }
        entry.orderBy('sys_created_on');
        entry.orderBy('sys_id');
        entry.setLimit(CasebridgeIncident.PAGE_ENTRIES + 1);
        entry.query();
        return entry;
    },

    // Returns the text of the row as it was written, and what of it goes to AWS.
    _entry: function (entry) {
        var createdBy = this._text(entry, 'sys_created_by');
        var element = this._text(entry, 'element');
        var text = this._text(entry, 'value');
        return {
            sys_id: String(entry.getUniqueValue()),
            created_on: this._text(entry, 'sys_created_on'),
            created_by: createdBy,
            element: element,
            text: text,
            shared: this.sharing.shared(element, createdBy, text),
            ours: false,
            undecided: false,
            mod_count: null
        };
    },

    // Whether a text may be in an answer: it is shared, or it is a comment, which casebridge may have delivered.
    _mayBeShown: function (entry) {
        return entry.shared !== '' || entry.element === CasebridgeSharing.COMMENTS;
    },

    // Whether a text is in the answer. A comment of ours came from AWS. A work note of ours stays, whatever it begins
    // with, and what is not shared stays, whoever wrote it.
    _isShown: function (entry) {
        return entry.ours ? entry.element === CasebridgeSharing.COMMENTS : entry.shared !== '';
    },

    // Returns the text as an answer shows it. What casebridge delivered is shown as it is.
    _shown: function (entry) {
        return {
            sys_id: entry.sys_id,
            created_on: entry.created_on,
            created_by: entry.created_by,
            author: this._author(entry.created_by),
            text: entry.ours ? entry.text : entry.shared,
            ours: entry.ours,
            undecided: entry.undecided,
            mod_count: entry.mod_count
        };
    },

    // Whether a file is in the answer. What a silent author attached stays.
    _isFileShown: function (file) {
        return file.ours || !this.sharing.isSilent(file.created_by);
    },

    // Returns the files of the incident, oldest first, and one more than is shown.
    _attachments: function (incidentId) {
        var attachment = new GlideRecord(CasebridgeFile.TABLE);
        CasebridgeFile.narrow(attachment, incidentId);
        attachment.orderBy('sys_created_on');
        attachment.orderBy('sys_id');
        attachment.setLimit(CasebridgeIncident.ATTACHMENTS_LIMIT + 1);
        attachment.query();
        var files = [];
        while (attachment.next()) {
            files.push(this._attachment(attachment));
        }
        this._tellWhose(files);
        return files;
    },

    _attachment: function (attachment) {
        var createdBy = this._text(attachment, 'sys_created_by');
        return {
            sys_id: String(attachment.getUniqueValue()),
            created_on: this._text(attachment, 'sys_created_on'),
            created_by: createdBy,
            author: this._author(createdBy),
            file_name: this._text(attachment, 'file_name'),
            content_type: this._text(attachment, 'content_type'),
            size_bytes: CasebridgeFile.size(attachment),
            state: this._text(attachment, 'state'),
            ours: false,
            undecided: false
        };
    },

    // Marks which texts or files are ours. One is ours if a finished delivery names it, of whatever link, even if its author
    // was renamed. One that no delivery names is undecided if its author has made deliveries: one may be unfinished.
    _tellWhose: function (entries) {
        var delivered = this._delivered(entries);
        for (var index = 0; index < entries.length; index += 1) {
            var entry = entries[index];
            entry.ours = delivered.hasOwnProperty(entry.sys_id);
            entry.undecided = !entry.ours && this._isDeliverer(entry.created_by);
        }
    },

    _delivered: function (entries) {
        var delivered = {};
        if (entries.length === 0) {
            return delivered;
        }
        var ids = entries.map(function (entry) {
            return entry.sys_id;
        });
        var row = new GlideRecord('x_casebridge_aws_delivery');
        row.addQuery('journal', 'IN', ids.join(','));
        row.addQuery('state', 'done');
        row.query();
        while (row.next()) {
            delivered[this._text(row, 'journal')] = true;
        }
        return delivered;
    },

    _isDeliverer: function (userName) {
        if (this.integrationUser === null) {
            this.integrationUser = this.installation.integrationUserName();
        }
        if (userName === this.integrationUser) {
            return true;
        }
        if (CasebridgeRequest.SCRIPT.test(userName)) {
            return false;
        }
        if (!this.deliverers.hasOwnProperty(userName)) {
            var row = new GlideRecord('x_casebridge_aws_delivery');
            row.addQuery('sys_created_by', userName);
            row.setLimit(1);
            row.query();
            this.deliverers[userName] = row.next();
        }
        return this.deliverers[userName];
    },

    _author: function (userName) {
        if (!this.authors.hasOwnProperty(userName)) {
            var user = this.installation.userNamed(userName);
            var name = '';
            if (user !== null) {
                name =
                    this._text(user, 'name') ||
                    (this._text(user, 'first_name') + ' ' + this._text(user, 'last_name')).trim();
            }
            this.authors[userName] = name || userName;
        }
        return this.authors[userName];
    },

    _text: function (record, name) {
        return CasebridgeIncident.text(record, name);
    },

    type: 'CasebridgeIncident'
};
