/**
 * Shows an incident as the webhook and the REST API do: its fields, the account of its assignment group, and its
 * customer-visible comments, oldest first. Work notes are never read.
 */
var CasebridgeIncident = Class.create();

CasebridgeIncident.PREFIX = 'x_casebridge_aws_';
CasebridgeIncident.COLUMNS = ['account', 'case_id', 'display_id', 'case_status', 'sync_status', 'last_error'];
/** The bytes that a snapshot may take, with all around it, in the escaped form that is sent. */
CasebridgeIncident.SIZE_LIMIT = 200000;
/** The bytes that the frame of a webhook or an answer may add to a snapshot. */
CasebridgeIncident.FRAME_SIZE = 1000;
/** An AWS Support case takes 8000 characters of description; each takes up to six bytes when it is escaped. */
CasebridgeIncident.DESCRIPTION_SIZE_LIMIT = 50000;
CasebridgeIncident.SHORT_DESCRIPTION_SIZE_LIMIT = 6000;
CasebridgeIncident.BYTES_PER_ESCAPE = 6;
CasebridgeIncident.CLOSE_CODES_LIMIT = 100;
CasebridgeIncident.STATE_RESOLVED = '6';
CasebridgeIncident.STATE_CLOSED = '7';
CasebridgeIncident.STATE_CANCELLED = '8';

/** JSON in ASCII: nothing on the way to the receiver can change its bytes. */
CasebridgeIncident.toAscii = function (value) {
    return JSON.stringify(value).replace(/[\u007f-\uffff]/g, function (character) {
        return '\\u' + ('000' + character.charCodeAt(0).toString(16)).slice(-4);
    });
};

/** The text with a replacement character for each half of a surrogate pair: parsers refuse JSON that holds one. */
CasebridgeIncident.wellFormed = function (text) {
    return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, function (characters) {
        return characters.length === 2 ? characters : '\ufffd';
    });
};

CasebridgeIncident.prototype = {
    initialize: function () {
        this.authors = {};
    },

    /** The incident's record, or null. */
    find: function (sysId) {
        var incident = new GlideRecord('incident');
        return incident.get(sysId) ? incident : null;
    },

    /** The incident with its newest comments, for a webhook: never above the size limit. Null if there is none. */
    snapshot: function (sysId) {
        return this._show(sysId, '', 0);
    },

    /**
     * The incident with its newest comments, or with those before the comment `entriesBefore`. At least one comment is
     * shown whatever its size, so that a reader who pages gets through. Null if there is no such incident or comment.
     */
    page: function (sysId, entriesBefore) {
        return this._show(sysId, entriesBefore, 1);
    },

    /** Whether the incident has an AWS case. */
    isLinked: function (incident) {
        return this._text(incident, CasebridgeIncident.PREFIX + 'case_id') !== '';
    },

    /** Whether the incident should have an AWS case. */
    isInScope: function (incident) {
        return (
            this._text(incident, CasebridgeIncident.PREFIX + 'service_code') !== '' &&
            this._text(incident, CasebridgeIncident.PREFIX + 'category_code') !== '' &&
            this._account(incident) !== null
        );
    },

    _show: function (sysId, entriesBefore, minimumEntries) {
        // Taken before the record is read: a snapshot is never older than it says.
        var takenAt = new GlideDateTime().getValue();
        var incident = this.find(sysId);
        if (incident === null) {
            return null;
        }
        var shown = this._fields(incident, takenAt);
        var size = CasebridgeIncident.toAscii(shown).length + CasebridgeIncident.FRAME_SIZE;
        var page = this._entries(sysId, entriesBefore, minimumEntries, CasebridgeIncident.SIZE_LIMIT - size);
        if (page === null) {
            return null;
        }
        shown.entries = page.entries;
        shown.entries_complete = page.complete;
        return shown;
    },

    _fields: function (incident, takenAt) {
        var columns = {};
        for (var index = 0; index < CasebridgeIncident.COLUMNS.length; index += 1) {
            var name = CasebridgeIncident.COLUMNS[index];
            columns[name] = this._text(incident, CasebridgeIncident.PREFIX + name);
        }
        return {
            sys_id: incident.getUniqueValue(),
            number: this._text(incident, 'number'),
            sys_mod_count: parseInt(this._text(incident, 'sys_mod_count') || '0', 10),
            state: this._text(incident, 'state'),
            hold_reason: this._text(incident, 'hold_reason'),
            resolved_at: this._resolvedAt(incident),
            columns: columns,
            close_codes: this._closeCodes(),
            taken_at: takenAt,
            account: this._account(incident),
            service_code: this._text(incident, CasebridgeIncident.PREFIX + 'service_code'),
            category_code: this._text(incident, CasebridgeIncident.PREFIX + 'category_code'),
            short_description: this._cut(
                this._text(incident, 'short_description'),
                CasebridgeIncident.SHORT_DESCRIPTION_SIZE_LIMIT
            ),
            description: this._cut(this._text(incident, 'description'), CasebridgeIncident.DESCRIPTION_SIZE_LIMIT),
            priority: this._text(incident, 'priority')
        };
    },

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

    _account: function (incident) {
        var group = this._text(incident, 'assignment_group');
        if (group === '') {
            return null;
        }
        var account = new GlideRecord('x_casebridge_aws_account');
        account.addQuery('active', true);
        account.addQuery('assignment_group', group);
        account.orderBy('number');
        account.setLimit(1);
        account.query();
        if (!account.next()) {
            return null;
        }
        var production = this._text(account, 'production');
        return {
            number: this._text(account, 'number'),
            name: this._text(account, 'name'),
            production: production === '1' || production === 'true'
        };
    },

    _closeCodes: function () {
        var codes = this._choices('incident');
        // A choice list that incident does not define itself is the one of task.
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
            // One row for each language.
            if (value !== '' && values.indexOf(value) < 0) {
                values.push(value);
            }
        }
        return values;
    },

    // The newest comments that fit, or those before the anchor, oldest first.
    _entries: function (incidentId, anchorId, minimum, budget) {
        var anchor = null;
        if (anchorId !== '') {
            anchor = new GlideRecord('sys_journal_field');
            if (!anchor.get(anchorId) || this._text(anchor, 'element_id') !== incidentId) {
                return null;
            }
        }
        var entry = new GlideRecord('sys_journal_field');
        entry.addQuery('element_id', incidentId);
        entry.addQuery('element', 'comments');
        if (anchor !== null) {
            entry.addQuery('sys_created_on', '<=', this._text(anchor, 'sys_created_on'));
        }
        entry.orderByDesc('sys_created_on');
        entry.orderByDesc('sys_id');
        entry.query();
        var entries = [];
        var used = 0;
        while (entry.next()) {
            if (anchor === null || this._isBefore(entry, anchor)) {
                var shown = this._entry(entry);
                used += CasebridgeIncident.toAscii(shown).length + 1;
                if (used > budget && entries.length >= minimum) {
                    return { entries: entries.reverse(), complete: false };
                }
                entries.push(shown);
            }
        }
        return { entries: entries.reverse(), complete: true };
    },

    _isBefore: function (entry, anchor) {
        return (
            this._text(entry, 'sys_created_on') < this._text(anchor, 'sys_created_on') ||
            entry.getUniqueValue() < anchor.getUniqueValue()
        );
    },

    _entry: function (entry) {
        var createdBy = this._text(entry, 'sys_created_by');
        return {
            sys_id: entry.getUniqueValue(),
            created_on: this._text(entry, 'sys_created_on'),
            created_by: createdBy,
            author: this._author(createdBy),
            text: this._text(entry, 'value'),
            // A comment's author never changes, unlike who last updated the incident.
            ours: createdBy === gs.getProperty('x_casebridge_aws.integration_user', '')
        };
    },

    _author: function (userName) {
        if (!this.authors.hasOwnProperty(userName)) {
            var user = new GlideRecord('sys_user');
            user.addQuery('user_name', userName);
            user.setLimit(1);
            user.query();
            var name = '';
            if (user.next()) {
                name =
                    this._text(user, 'name') ||
                    (this._text(user, 'first_name') + ' ' + this._text(user, 'last_name')).trim();
            }
            this.authors[userName] = name || userName;
        }
        return this.authors[userName];
    },

    _cut: function (text, limit) {
        if (CasebridgeIncident.toAscii(text).length <= limit) {
            return text;
        }
        return CasebridgeIncident.wellFormed(
            text.substring(0, Math.floor(limit / CasebridgeIncident.BYTES_PER_ESCAPE))
        );
    },

    _text: function (record, name) {
        var value = record.getValue(name);
        return value === null || value === undefined ? '' : CasebridgeIncident.wellFormed(String(value));
    },

    type: 'CasebridgeIncident'
};
