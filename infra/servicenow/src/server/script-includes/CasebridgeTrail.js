/**
 * Finds in the platform's audit trail in which update of an incident something happened. Times of the platform are
 * whole seconds. The update count (sys_audit.record_checkpoint) gives the order within a second.
 *
 * If the app may not read the trail, or if the trail contradicts the record, the answers are null, and casebridge uses
 * the times.
 */
var CasebridgeTrail = Class.create();

CasebridgeTrail.TABLE = 'sys_audit';
/** The most changes of state that are read: more than people make in the life of an incident. */
CasebridgeTrail.STATES_LIMIT = 200;
/** The most rows about texts of one field that are read: four times as many as a page has texts. */
CasebridgeTrail.ENTRIES_LIMIT = 1000;
/**
 * How much later than its update a row of the trail may be written. Times are whole seconds, so one may be rounding;
 * the other is for an update that takes longer than a second.
 */
CasebridgeTrail.LAG_SECONDS = 2;
CasebridgeTrail.ENDED = ['6', '7', '8'];
CasebridgeTrail.CLOSED = ['7', '8'];

CasebridgeTrail.prototype = {
    initialize: function (incident) {
        this.incidentId = String(incident.getUniqueValue());
        this.state = String(incident.getValue('state') || '');
        this.modCount = parseInt(incident.getValue('sys_mod_count') || '0', 10);
        this.states = this._rows('state', CasebridgeTrail.STATES_LIMIT, true, function () {});
    },

    /** Returns the update that last ended the incident, as count, time and user name. Null if it is open or unknown. */
    ended: function () {
        return this._entered(CasebridgeTrail.ENDED);
    },

    /** Returns the update that closed or cancelled the incident. Null while it is neither, or if unknown. */
    closed: function () {
        return this._entered(CasebridgeTrail.CLOSED);
    },

    /** Sets each text's mod_count to the count of the update that it was written in, or null if that is unknown. */
    number: function (entries) {
        [CasebridgeSharing.COMMENTS, CasebridgeSharing.WORK_NOTES].forEach(function (element) {
            this._number(
                element,
                entries.filter(function (entry) {
                    return entry.element === element;
                })
            );
        }, this);
    },

    // Numbers the texts of one field of the journal. The trail has rows of their own for each field.
    _number: function (element, entries) {
        if (entries.length === 0) {
            return;
        }
        var first = this._shift(entries[0].created_on, -CasebridgeTrail.LAG_SECONDS);
        var last = this._shift(entries[entries.length - 1].created_on, CasebridgeTrail.LAG_SECONDS);
        var rows = this._rows(element, CasebridgeTrail.ENTRIES_LIMIT, false, function (audit) {
            audit.addQuery('sys_created_on', '>=', first);
            audit.addQuery('sys_created_on', '<=', last);
        });
        // A text may occur twice. So first match rows and texts of the same second, then rows that came late.
        this._match(entries, rows, 0);
        this._match(entries, rows, CasebridgeTrail.LAG_SECONDS);
        var ended = this.ended();
        for (var index = 0; index < entries.length; index += 1) {
            if (!this._isBelievable(entries[index], ended)) {
                entries[index].mod_count = null;
            }
        }
    },

    // Returns the rows of the trail about one field. Returns no rows if the trail can't be read.
    _rows: function (fieldName, limit, newestFirst, narrow) {
        var rows = [];
        try {
            var audit = new GlideRecord(CasebridgeTrail.TABLE);
            audit.addQuery('documentkey', this.incidentId);
            audit.addQuery('tablename', 'incident');
            audit.addQuery('fieldname', fieldName);
            narrow(audit);
            if (newestFirst) {
                audit.orderByDesc('sys_created_on');
                audit.orderByDesc('record_checkpoint');
            } else {
                audit.orderBy('sys_created_on');
                audit.orderBy('record_checkpoint');
            }
            audit.setLimit(limit);
            audit.query();
            while (audit.next()) {
                rows.push({
                    count: parseInt(audit.getValue('record_checkpoint') || '-1', 10),
                    at: String(audit.getValue('sys_created_on') || ''),
                    user: String(audit.getValue('user') || ''),
                    from: String(audit.getValue('oldvalue') || ''),
                    to: String(audit.getValue('newvalue') || '')
                });
            }
        } catch (problem) {
            // The table of another scope may refuse the read with an exception.
            return [];
        }
        return rows;
    },

    // Returns the latest update that led from outside of these states into them, or null. The trail must lead to the
    // present state without a gap, since a row may be missing. No count may be higher than the record's, since a
    // restored record counts anew.
    _entered: function (states) {
        var expected = this.state;
        for (var index = 0; index < this.states.length; index += 1) {
            var row = this.states[index];
            if (row.to !== expected || states.indexOf(row.to) < 0 || row.count < 0 || row.count > this.modCount) {
                return null;
            }
            if (states.indexOf(row.from) < 0) {
                return { count: row.count, at: row.at, user: row.user };
            }
            expected = row.from;
        }
        return null;
    },

    // Matches rows with texts. The trail has one row for each text, so each row is used once.
    _match: function (entries, rows, tolerance) {
        for (var index = 0; index < entries.length; index += 1) {
            var entry = entries[index];
            for (var candidate = 0; candidate < rows.length && entry.mod_count === null; candidate += 1) {
                var row = rows[candidate];
                if (
                    !row.used &&
                    row.user === entry.created_by &&
                    this._distance(row.at, entry.created_on) <= tolerance &&
                    CasebridgeIncident.comparable(row.to) === CasebridgeIncident.comparable(entry.text)
                ) {
                    row.used = true;
                    entry.mod_count = row.count;
                }
            }
        }
    },

    // Whether the text's count agrees with the times. A restored record counts some updates twice, and then the
    // times are right.
    _isBelievable: function (entry, ended) {
        if (entry.mod_count === null || entry.mod_count < 0 || entry.mod_count > this.modCount) {
            return false;
        }
        if (ended === null || this._distance(entry.created_on, ended.at) <= CasebridgeTrail.LAG_SECONDS) {
            return true;
        }
        return entry.mod_count <= ended.count === entry.created_on < ended.at;
    },

    _distance: function (left, right) {
        var difference = new GlideDateTime(left).getNumericValue() - new GlideDateTime(right).getNumericValue();
        return Math.abs(difference) / 1000;
    },

    _shift: function (moment, seconds) {
        var time = new GlideDateTime(moment);
        time.addSeconds(seconds);
        return String(time.getValue());
    },

    type: 'CasebridgeTrail'
};
