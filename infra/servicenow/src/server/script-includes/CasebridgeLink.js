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

    /**
     * Writes what the values say of the link of this kind; what they leave out stays. Returns '' or why the row was not
     * written.
     */
    note: function (incidentId, kind, values) {
        var key = kind + ':' + incidentId;
        var row = this._row(key);
        if (row !== null) {
            return this._update(row, incidentId, values);
        }
        row = new GlideRecord(CasebridgeLink.TABLE);
        row.initialize();
        row.setValue('link_key', key);
        row.setValue('kind', kind);
        this._set(row, incidentId, values);
        if (this._write(row, 'insert')) {
            return '';
        }
        // Two at once meet the unique index: then the row is there.
        var other = this._row(key);
        return other === null ? this._refusal(row) : this._update(other, incidentId, values);
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

    // In the order of the kinds, so that of two that are equally bad it is always the same.
    _rows: function (incidentId) {
        var row = new GlideRecord(CasebridgeLink.TABLE);
        row.addQuery('incident', incidentId);
        row.orderBy('kind');
        row.setLimit(CasebridgeLink.ROWS_LIMIT);
        row.query();
        var rows = [];
        while (row.next()) {
            var status = this._statusOf(row, '');
            rows.push({
                kind: String(row.getValue('kind')),
                sync_status: status.sync_status,
                last_error: status.last_error
            });
        }
        return rows;
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

    _row: function (key) {
        var row = new GlideRecord(CasebridgeLink.TABLE);
        return row.get('link_key', key) ? row : null;
    },

    _update: function (row, incidentId, values) {
        this._set(row, incidentId, values);
        return this._write(row, 'update') ? '' : this._refusal(row);
    },

    // The reference is set anew: the platform may have emptied it while the incident was away.
    _set: function (row, incidentId, values) {
        row.setValue('incident', incidentId);
        CasebridgeLink.STATUS_COLUMNS.forEach(function (name) {
            if (values.hasOwnProperty(name)) {
                row.setValue(name, values[name].substring(0, CasebridgeLink.STATUS_LIMITS[name]));
            }
        });
    },

    // Whether the row was written. Values that it has already cost no write.
    _write: function (row, operation) {
        try {
            return Boolean(row[operation]());
        } catch (problem) {
            return false;
        }
    },

    _refusal: function (row) {
        return 'the link table refused a row: ' + row.getLastErrorMessage();
    },

    type: 'CasebridgeLink'
};
