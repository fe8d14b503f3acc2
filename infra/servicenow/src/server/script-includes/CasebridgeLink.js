/**
 * Keeps how each link of an incident does: one row for each incident and kind of link. The incident shows the worst of
 * them, so that no link hides what another has to say.
 */
var CasebridgeLink = Class.create();

CasebridgeLink.TABLE = 'x_casebridge_aws_link';
/** The name of a kind. It is a part of a row's key. */
CasebridgeLink.KIND = /^[a-z_]{1,40}$/;
CasebridgeLink.KIND_OF_FORMER_VERSIONS = 'support_case';
/** What a link says of itself. */
CasebridgeLink.STATUS_COLUMNS = ['sync_status', 'last_error'];
/** The columns of incident that belong to one kind of link alone: no other writes them. */
CasebridgeLink.OWN_COLUMNS = { support_case: ['account', 'case_id', 'display_id', 'case_status'] };
/** The worst first. A word that is not known comes before them all, so that it is seen. */
CasebridgeLink.SEVERITY = ['error', 'waiting', 'pending', 'in_sync', ''];
/** The characters that each column takes: a text that is cut here is the same when it is read. */
CasebridgeLink.STATUS_LIMITS = { sync_status: 40, last_error: 1000 };
/** The rows of one incident that are read: many more than there are kinds. */
CasebridgeLink.ROWS_LIMIT = 100;

/** The columns of incident that links of this kind alone write. */
CasebridgeLink.ownColumns = function (kind) {
    return CasebridgeLink.OWN_COLUMNS.hasOwnProperty(kind) ? CasebridgeLink.OWN_COLUMNS[kind] : [];
};

CasebridgeLink.prototype = {
    initialize: function () {},

    /** Whether the values say how a link does. */
    isTold: function (values) {
        return CasebridgeLink.STATUS_COLUMNS.some(function (name) {
            return values.hasOwnProperty(name);
        });
    },

    /** What the values say of a link, as its columns hold it. */
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
     * Writes what the values say of the link of this kind; what they leave out stays, and what stands there already is not
     * written. Returns '' or why it was not recorded: nothing else may fail for that.
     */
    note: function (incidentId, kind, values) {
        try {
            return this._note(incidentId, kind, this.said(values));
        } catch (problem) {
            return String(problem);
        }
    },

    /** The worst status of the incident's links, with the error that belongs to it; both empty where there is no link. */
    worst: function (incidentId) {
        return this._worst(this._rows(incidentId));
    },

    /**
     * The status that a link of this kind is to compare with what it would say: its own, or what the incident shows
     * where that is not the worst of the links. So a link mends an incident that was copied, restored or changed by hand.
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

    // The rows that are the incident's own: a script that merges incidents lets those of others refer to this one, and none
    // of its links would ever change what they say. None where the table can't be read.
    _rows: function (incidentId) {
        try {
            return this._read(incidentId);
        } catch (problem) {
            return [];
        }
    },

    // In the order of the kinds, so that of two that are equally bad it is always the same.
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
        // Two at once meet the unique index: then the row is there.
        problem = this._update(incidentId, kind, said);
        if (problem !== null) {
            return problem;
        }
        if (refusal === '') {
            // Where rows are hidden there would be one more each time.
            row.deleteRecord();
            refusal = 'the link table does not show the row that it took';
        }
        return refusal;
    },

    // Updates the rows of the link: without the unique index there may be several, and each is heard. Returns '' or why one
    // was not written; null if there is none.
    _update: function (incidentId, kind, said) {
        var row = new GlideRecord(CasebridgeLink.TABLE);
        row.addQuery('link_key', this._key(incidentId, kind));
        row.orderBy('sys_id');
        row.setLimit(CasebridgeLink.ROWS_LIMIT);
        row.query();
        var problem = null;
        while (row.next()) {
            // The platform may answer an update that changes nothing as it answers one that it refuses.
            var written = this._set(row, incidentId, kind, said) ? this._write(row, 'update') : '';
            problem = written || problem || '';
        }
        return problem;
    },

    // Whether the row had other values. The reference is one of them: the platform empties it when the incident is deleted,
    // and does not restore it with that.
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
