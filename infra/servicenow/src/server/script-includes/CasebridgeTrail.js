/**
 * Tells in which update of an incident something happened, by the platform's audit trail. Times of the platform are whole
 * seconds; the update count (sys_audit.record_checkpoint) tells the order within one.
 *
 * Where the app may not read the trail, or the trail contradicts the record, it says nothing: then the times remain.
 */
var CasebridgeTrail = Class.create();

CasebridgeTrail.TABLE = 'sys_audit';
/** More changes of state than people make; an incident with more of them is told by times. */
CasebridgeTrail.STATES_LIMIT = 200;
/** A page of comments and those of their authors that lie in the same seconds. */
CasebridgeTrail.ENTRIES_LIMIT = 1000;
/** A row of the trail may be written so much later than what it is about. */
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

    /** The update that ended work on the incident last, as count, time and user name; null while it is open, or if none is known. */
    ended: function () {
        return this._entered(CasebridgeTrail.ENDED);
    },

    /** The update that closed or cancelled the incident; null while it is not, or if none is known. */
    closed: function () {
        return this._entered(CasebridgeTrail.CLOSED);
    },

    /** Gives each comment the count of the update that it was written in, as mod_count; null where it is not known. */
    number: function (entries) {
        if (entries.length === 0) {
            return;
        }
        var first = this._shift(entries[0].created_on, -CasebridgeTrail.LAG_SECONDS);
        var last = this._shift(entries[entries.length - 1].created_on, CasebridgeTrail.LAG_SECONDS);
        var rows = this._rows('comments', CasebridgeTrail.ENTRIES_LIMIT, false, function (audit) {
            audit.addQuery('sys_created_on', '>=', first);
            audit.addQuery('sys_created_on', '<=', last);
        });
        // The same words twice: those of the same second belong together, before any that are late.
        this._match(entries, rows, 0);
        this._match(entries, rows, CasebridgeTrail.LAG_SECONDS);
        var ended = this.ended();
        for (var index = 0; index < entries.length; index += 1) {
            if (!this._isBelievable(entries[index], ended)) {
                entries[index].mod_count = null;
            }
        }
    },

    // The rows of the trail about one field; none where the trail can't be read.
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
            // Another scope's table may refuse by an exception.
            return [];
        }
        return rows;
    },

    // The latest update that led from outside of these states into them. The trail must lead to the present state without
    // a gap and to no count that the record has not reached: a row may be missing, and a restored record starts anew.
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

    // One comment for each field and update: each row is used once.
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

    // A restored record counts some updates twice. Then the counts contradict the times, and the times are right.
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
