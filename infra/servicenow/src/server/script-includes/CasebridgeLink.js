/**
 * Keeps the status of each link of an incident: one row for each incident and kind of link. The incident shows the
 * worst status, so that no link hides the trouble of another.
 */
var CasebridgeLink = Class.create();

CasebridgeLink.TABLE = 'x_casebridge_aws_link';
/** The form of a kind's name, which is a part of a row's key. */
CasebridgeLink.KIND = /^[a-z_]{1,40}$/;
CasebridgeLink.KIND_OF_FORMER_VERSIONS = 'support_case';
/** The columns with the status of a link. */
CasebridgeLink.STATUS_COLUMNS = ['sync_status', 'last_error'];
/** The columns of incident that one kind of link alone writes. */
CasebridgeLink.OWN_COLUMNS = { support_case: ['account', 'case_id', 'display_id', 'case_status'] };
/** The statuses, worst first. An unknown word counts as worse than all of them, so that people see it. */
CasebridgeLink.SEVERITY = ['error', 'waiting', 'pending', 'in_sync', ''];
/** The most characters of each column. A text is cut here, so that it reads back as it was written. */
CasebridgeLink.STATUS_LIMITS = { sync_status: 40, last_error: 1000 };
/** The most rows of one incident that are read: many more than there are kinds. */
CasebridgeLink.ROWS_LIMIT = 100;

/** Returns the columns of incident that links of this kind alone write. */
CasebridgeLink.ownColumns = function (kind) {
    return CasebridgeLink.OWN_COLUMNS.hasOwnProperty(kind) ? CasebridgeLink.OWN_COLUMNS[kind] : [];
};

CasebridgeLink.prototype = {
    initialize: function () {},

    /** Whether the values hold a status. */
    isTold: function (values) {
        return CasebridgeLink.STATUS_COLUMNS.some(function (name) {
            return values.hasOwnProperty(name);
        });
    },

    /** Returns the status in the values as the columns hold it: cut, and well-formed. */
    said: function (values) {
        var said = {};
        CasebridgeLink.STATUS_COLUMNS.forEach(function (name) {
            if (values.hasOwnProperty(name)) {
                var text = values[name].substring(0, CasebridgeLink.STATUS_LIMITS[name]);
                said[name] = CasebridgeIncident.wellFormed(text);
            }
        });
        return said;
    },

    /**
     * Records the status in the values for the link of this kind. Leaves columns that the values do not name, and
     * writes nothing if nothing changes. Returns '' or why the status was not recorded. It raises no error, so that
     * nothing else fails.
     */
    note: function (incidentId, kind, values) {
        try {
            return this._note(incidentId, kind, this.said(values));
        } catch (problem) {
            return String(problem);
        }
    },

    /** Returns the worst status of the incident's links, with its error. Both are empty if there is no link. */
    worst: function (incidentId) {
        return this._worst(this._rows(incidentId));
    },

    /**
     * Returns the status that the snapshot shows a link of this kind: the link's own, or that of the incident if the
     * incident does not show the worst of its links. In the second case the link finds a difference and delivers again.
     * So it corrects an incident that was copied, restored or changed by hand.
     */
    shown: function (incident, kind) {
        var rows = this._rows(incident.getUniqueValue());
        if (!this._isShownBy(incident, this._worst(rows))) {
            return this._statusOf(incident, CasebridgeIncident.PREFIX);
        }
        var own = rows.filter(function (row) {
            return row.kind === kind;
        });
        return this._worst(own);
    },

    /** Whether the incident shows the worst status of its links. */
    isSettled: function (incident) {
        return this._isShownBy(incident, this.worst(incident.getUniqueValue()));
    },

    _isShownBy: function (incident, status) {
        var shown = this._statusOf(incident, CasebridgeIncident.PREFIX);
        return shown.sync_status === status.sync_status && shown.last_error === status.last_error;
    },

    // Returns the rows of the incident's own links. A script that merges incidents may let rows of other incidents
    // refer to this one: these do not count, since no link of this incident would ever change them. Returns no rows if
    // the table can't be read.
    _rows: function (incidentId) {
        try {
            return this._read(incidentId);
        } catch (problem) {
            return [];
        }
    },

    // Returns the rows in the order of their kinds, so that of two equally bad ones the incident always shows the same.
    _read: function (incidentId) {
        var row = new GlideRecord(CasebridgeLink.TABLE);
        row.addQuery('incident', incidentId);
        row.addQuery('link_key', 'ENDSWITH', ':' + incidentId);
        row.orderBy('kind');
        row.orderBy('sys_id');
        row.setLimit(CasebridgeLink.ROWS_LIMIT);
        row.query();
        var rows = [];
        while (row.next()) {
            var status = this._statusOf(row, '');
            var kind = CasebridgeIncident.text(row, 'kind');
            if (CasebridgeIncident.text(row, 'link_key') === this._key(incidentId, kind)) {
                rows.push({ kind: kind, sync_status: status.sync_status, last_error: status.last_error });
            }
        }
        return rows;
    },

    _key: function (incidentId, kind) {
        return kind + ':' + incidentId;
    },

    _worst: function (rows) {
        var worst = { sync_status: '', last_error: '' };
        rows.forEach(function (row, index) {
            if (index === 0 || this._rank(row) < this._rank(worst)) {
                worst = { sync_status: row.sync_status, last_error: row.last_error };
            }
        }, this);
        return worst;
    },

    _rank: function (status) {
        return CasebridgeLink.SEVERITY.indexOf(status.sync_status);
    },

    _statusOf: function (record, prefix) {
        return {
            sync_status: CasebridgeIncident.text(record, prefix + 'sync_status'),
            last_error: CasebridgeIncident.text(record, prefix + 'last_error')
        };
    },

    _note: function (incidentId, kind, said) {
        var problem = this._update(incidentId, kind, said);
        if (problem !== null) {
            return problem;
        }
        var row = new GlideRecord(CasebridgeLink.TABLE);
        row.initialize();
        row.setValue('link_key', this._key(incidentId, kind));
        this._set(row, incidentId, kind, said);
        var refusal = this._write(row, 'insert');
        // If two requests insert the row at once, the unique index refuses one, and the row exists.
        problem = this._update(incidentId, kind, said);
        if (problem !== null) {
            return problem;
        }
        if (refusal === '') {
            // The app does not see its own row. Delete it, or each delivery would add one.
            row.deleteRecord();
            refusal = 'the link table does not show the row that it took';
        }
        return refusal;
    },

    // Updates the rows of the link. Without the unique index there may be several, and all of them count. Returns '' or
    // why a row was not written, or null if there is no row.
    _update: function (incidentId, kind, said) {
        var row = new GlideRecord(CasebridgeLink.TABLE);
        row.addQuery('link_key', this._key(incidentId, kind));
        row.orderBy('sys_id');
        row.setLimit(CasebridgeLink.ROWS_LIMIT);
        row.query();
        var problem = null;
        while (row.next()) {
            // The platform may answer an update without changes like one that it refuses.
            var written = this._set(row, incidentId, kind, said) ? this._write(row, 'update') : '';
            problem = written || problem || '';
        }
        return problem;
    },

    // Sets the row's values. Returns whether the row had others. Sets the reference, too: the platform empties it when
    // the incident is deleted and does not restore it with the incident.
    _set: function (row, incidentId, kind, said) {
        var differs = CasebridgeIncident.put(row, 'incident', incidentId);
        differs = CasebridgeIncident.put(row, 'kind', kind) || differs;
        Object.keys(said).forEach(function (name) {
            differs = CasebridgeIncident.put(row, name, said[name]) || differs;
        });
        return differs;
    },

    // Returns '' or why the row was not written.
    _write: function (row, operation) {
        try {
            if (row[operation]()) {
                return '';
            }
        } catch (problem) {
            return String(problem);
        }
        return 'the link table refused a row: ' + String(row.getLastErrorMessage() || 'it gave no reason');
    },

    type: 'CasebridgeLink'
};
