// The part of Glide that server scripts of a scoped app see. `__host(operation, argument)` does the work on the
// instance's records. Its argument and its answer are JSON.
(function (global) {
    'use strict';

    var evaluate = global.__evaluate;
    var rawHost = global.__host;
    var job = null;

    function host(operation, argument) {
        return JSON.parse(rawHost(operation, JSON.stringify(argument === undefined ? null : argument)));
    }

    function text(value) {
        return value === null || value === undefined ? '' : String(value);
    }

    // The platform may give a script a Java string: an object, which is never equal to a string by `===`.
    function platformText(value) {
        return value === null || value === undefined ? value : new String(value);
    }

    // ------------------------------------------------------------------ time and random numbers, the same in every run

    var RealDate = global.Date;
    function SimulatedDate() {
        var given = Array.prototype.slice.call(arguments);
        if (!(this instanceof SimulatedDate)) {
            return new RealDate(job.now).toString();
        }
        var date = given.length === 0 ? new RealDate(job.now) : Reflect.construct(RealDate, utcParts(given));
        Object.setPrototypeOf(date, SimulatedDate.prototype);
        return date;
    }
    // Scripts of the platform run in the time zone of their user: here that is UTC.
    function utcParts(given) {
        return given.length > 1 ? [RealDate.UTC.apply(null, given)] : given;
    }
    SimulatedDate.prototype = RealDate.prototype;
    SimulatedDate.prototype.constructor = SimulatedDate;
    SimulatedDate.now = function () { return job.now; };
    SimulatedDate.UTC = RealDate.UTC;
    SimulatedDate.parse = RealDate.parse;
    ['FullYear', 'Month', 'Date', 'Hours', 'Minutes', 'Seconds', 'Milliseconds', 'Day'].forEach(function (part) {
        RealDate.prototype['get' + part] = RealDate.prototype['getUTC' + part];
        if (part !== 'Day') {
            RealDate.prototype['set' + part] = RealDate.prototype['setUTC' + part];
        }
    });
    RealDate.prototype.getTimezoneOffset = function () { return 0; };
    global.Date = SimulatedDate;

    var randomState = 0;
    Math.random = function () {
        randomState = (randomState + 0x6d2b79f5) | 0;
        var mixed = Math.imul(randomState ^ (randomState >>> 15), 1 | randomState);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };

    function pad(number, length) {
        return ('0000' + number).slice(-length);
    }

    function formatTime(milliseconds) {
        var date = new RealDate(milliseconds);
        return pad(date.getUTCFullYear(), 4) + '-' + pad(date.getUTCMonth() + 1, 2) + '-' + pad(date.getUTCDate(), 2) +
            ' ' + pad(date.getUTCHours(), 2) + ':' + pad(date.getUTCMinutes(), 2) + ':' + pad(date.getUTCSeconds(), 2);
    }

    function parseTime(value) {
        var match = /^(\d{4})-(\d{2})-(\d{2})(?: (\d{2}):(\d{2}):(\d{2}))?/.exec(value);
        return match === null
            ? NaN
            : RealDate.UTC(+match[1], +match[2] - 1, +match[3], +(match[4] || 0), +(match[5] || 0), +(match[6] || 0));
    }

    function GlideDateTime(value) {
        this.setValue(value === undefined ? formatTime(job.now) : value);
        if (value === undefined) {
            this.milliseconds = job.now;
        }
    }
    GlideDateTime.prototype = {
        setValue: function (value) {
            this.milliseconds = typeof value === 'number' ? value : parseTime(String(value));
        },
        setNumericValue: function (value) { this.milliseconds = value; },
        getNumericValue: function () { return this.milliseconds; },
        getValue: function () { return platformText(isNaN(this.milliseconds) ? '' : formatTime(this.milliseconds)); },
        getDisplayValue: function () { return this.getValue(); },
        getDisplayValueInternal: function () { return this.getValue(); },
        setDisplayValue: function (value) { this.setValue(value); },
        setValueUTC: function (value) { this.setValue(value); },
        getDate: function () { return { getValue: this.getValue.bind(this) }; },
        isValid: function () { return !isNaN(this.milliseconds); },
        getErrorMsg: function () { return this.isValid() ? '' : 'Could not parse DateTime'; },
        add: function (milliseconds) { this.milliseconds += typeof milliseconds === 'number' ? milliseconds : milliseconds.getNumericValue(); },
        subtract: function (milliseconds) { this.milliseconds -= milliseconds; },
        addSeconds: function (count) { this.milliseconds += count * 1000; },
        addDays: function (count) { this.milliseconds += count * 86400000; },
        addDaysUTC: function (count) { this.addDays(count); },
        addDaysLocalTime: function (count) { this.addDays(count); },
        compareTo: function (other) { return Math.sign(this.milliseconds - other.getNumericValue()); },
        before: function (other) { return this.milliseconds < other.getNumericValue(); },
        after: function (other) { return this.milliseconds > other.getNumericValue(); },
        onOrBefore: function (other) { return !this.after(other); },
        onOrAfter: function (other) { return !this.before(other); },
        equals: function (other) { return this.compareTo(other) === 0; },
        hasDate: function () { return this.isValid(); },
        getTZOffset: function () { return 0; },
        toString: function () { return text(this.getValue()); }
    };
    GlideDateTime.subtract = function (start, end) {
        var duration = new GlideDateTime(0);
        duration.setNumericValue(end.getNumericValue() - start.getNumericValue());
        return duration;
    };
    global.GlideDateTime = GlideDateTime;

    // ------------------------------------------------------------------ records

    var columnsOfTables = {};
    function columnsOf(table) {
        if (!Object.prototype.hasOwnProperty.call(columnsOfTables, table)) {
            columnsOfTables[table] = host('columns', { table: table });
        }
        return columnsOfTables[table];
    }

    function GlideElement(record, name) {
        this.$record = record;
        this.$name = name;
        this.$column = record.$.columns[name];
    }
    GlideElement.prototype = {
        toString: function () { return this.$record.$.value(this.$name); },
        // A true/false column is compared as a boolean, every other one as text.
        valueOf: function () {
            var value = this.toString();
            return this.$column.kind === 'boolean' ? value === 'true' : value;
        },
        getValue: function () { return this.$record.getValue(this.$name); },
        setValue: function (value) { this.$record.setValue(this.$name, value); },
        // This is the only way to set a secret. The platform encrypts the text.
        setDisplayValue: function (value) { keep(this.$record.$, this.$name, value); },
        getDecryptedValue: function () { return platformText(this.$record.$.stored(this.$name)); },
        getDisplayValue: function () { return this.$record.getDisplayValue(this.$name); },
        getName: function () { return this.$name; },
        getLabel: function () { return this.$column.label; },
        getTableName: function () { return this.$record.getTableName(); },
        getReferenceTable: function () { return this.$column.reference; },
        getRefRecord: function () {
            var record = new GlideRecord(this.$column.reference);
            record.get(this.toString());
            return record;
        },
        nil: function () { return this.toString() === ''; },
        canRead: function () { return true; },
        canWrite: function () { return true; },
        canCreate: function () { return true; },
        // A rule knows what changed while the record is written. An asynchronous rule does not.
        changes: function () { return this.$record.$.changed.indexOf(this.$name) >= 0; },
        changesTo: function (value) { return this.changes() && this.toString() === text(value); },
        changesFrom: function (value) { return this.changes() && text(this.$record.$.previous[this.$name]) === text(value); },
        getJournalEntry: function (count) {
            var all = text(this.getDisplayValue());
            return count === 1 ? all.split('\n\n')[0] + (all === '' ? '' : '\n\n') : all;
        },
        equals: function (other) { return this.toString() === text(other); },
        dateNumericValue: function () { return parseTime(this.toString()); },
        getGlideObject: function () { return new GlideDateTime(this.toString()); }
    };
    // A reference's columns are reached through it: incident.assignment_group.name.
    var referenceHandler = {
        get: function (target, name) {
            if (typeof name === 'symbol' || name in target) {
                return target[name];
            }
            if (!columnsOf(target.$column.reference)[name]) {
                return undefined;
            }
            return target.getRefRecord()[name];
        }
    };
    function elementOf(record, name) {
        var element = new GlideElement(record, name);
        return element.$column.kind === 'reference' ? new Proxy(element, referenceHandler) : element;
    }

    function RecordState(table) {
        this.table = table;
        this.columns = columnsOf(table) || {};
        this.valid = columnsOf(table) !== null;
        this.parts = [];
        this.order = [];
        this.limit = null;
        this.offset = 0;
        this.rows = null;
        this.index = -1;
        this.workflow = true;
        this.lastError = '';
        this.reset({});
    }
    RecordState.prototype = {
        reset: function (row) {
            this.row = row;
            this.modified = {};
            this.changed = [];
            this.previous = {};
            this.isNew = false;
            this.operation = null;
            this.aborted = false;
        },
        // Returns the value as the instance stores it. Secrets are in clear text here, and no script sees them so.
        stored: function (name) {
            return Object.prototype.hasOwnProperty.call(this.modified, name) ? this.modified[name] : text(this.row[name]);
        },
        value: function (name) {
            var stored = this.stored(name);
            return isSecret(this, name) && stored !== '' ? 'encrypted:' + host('digest', { algorithm: 'SHA256', form: 'Hex', text: stored }) : stored;
        }
    };

    function isSecret(state, name) {
        return state.columns[name] !== undefined && state.columns[name].kind === 'password2';
    }

    function QueryCondition(part) {
        this.addOrCondition = function (field, operator, value) {
            part.any.push(condition(arguments.length, field, operator, value));
            return this;
        };
        this.addCondition = function () {
            throw new Error('addCondition is not played by the simulator');
        };
    }

    // A value that begins with `javascript:` is a script. The platform runs it and queries for its result.
    function queried(value) {
        var script = /^\s*javascript:/i.exec(value);
        return script === null ? value : text(evaluate(value.substring(script[0].length), 'query'));
    }

    function condition(count, field, operator, value) {
        if (count < 3) {
            value = operator;
            operator = '=';
        }
        return { field: text(field), operator: text(operator), value: queried(text(value)) };
    }

    var recordHandler = {
        get: function (target, name) {
            if (typeof name === 'symbol' || name in target) {
                return target[name];
            }
            return target.$.columns[name] ? elementOf(target, name) : undefined;
        },
        set: function (target, name, value) {
            if (name !== '$' && target.$.columns[name]) {
                assign(target.$, name, value);
            } else {
                target[name] = value;
            }
            return true;
        },
        has: function (target, name) { return name in target || !!target.$.columns[name]; }
    };

    function assign(state, name, value) {
        // A secret can't be set this way: the platform would store it as if it were encrypted already.
        if (!isSecret(state, name)) {
            keep(state, name, value);
        }
    }

    function keep(state, name, value) {
        var column = state.columns[name];
        var wanted = text(value);
        if (column.kind === 'boolean' && wanted !== '') {
            wanted = wanted === '1' || wanted === 'true' ? 'true' : 'false';
        }
        state.modified[name] = wanted;
    }

    function GlideRecord(table) {
        if (!(this instanceof GlideRecord)) {
            throw new TypeError('GlideRecord is a constructor');
        }
        this.$ = new RecordState(text(table));
        return new Proxy(this, recordHandler);
    }
    GlideRecord.prototype = {
        addQuery: function (field, operator, value) {
            var part = { any: [] };
            if (arguments.length === 1) {
                this.addEncodedQuery(field);
                return new QueryCondition(part);
            }
            part.any.push(condition(arguments.length, field, operator, value));
            this.$.parts.push(part);
            return new QueryCondition(part);
        },
        addNullQuery: function (field) { return this.addQuery(field, 'ISEMPTY', ''); },
        addNotNullQuery: function (field) { return this.addQuery(field, 'ISNOTEMPTY', ''); },
        addActiveQuery: function () { return this.addQuery('active', '=', 'true'); },
        addInactiveQuery: function () { return this.addQuery('active', '=', 'false'); },
        addEncodedQuery: function (encoded) { this.$.parts.push({ encoded: text(encoded) }); },
        orderBy: function (field) { this.$.order.push({ field: text(field), descending: false }); },
        orderByDesc: function (field) { this.$.order.push({ field: text(field), descending: true }); },
        setLimit: function (limit) { this.$.limit = Number(limit); },
        chooseWindow: function (first, last) { this.$.offset = first; this.$.limit = last - first; },
        query: function () {
            var state = this.$;
            state.rows = host('query', {
                table: state.table, parts: state.parts, order: state.order, limit: state.limit, offset: state.offset
            });
            state.index = -1;
        },
        _query: function () { this.query(); },
        hasNext: function () { return this.$.rows !== null && this.$.index + 1 < this.$.rows.length; },
        next: function () {
            if (!this.hasNext()) {
                return false;
            }
            this.$.index += 1;
            this.$.reset(this.$.rows[this.$.index]);
            return true;
        },
        _next: function () { return this.next(); },
        get: function (field, value) {
            if (arguments.length === 1) {
                value = field;
                field = 'sys_id';
            }
            this.$.parts = [];
            this.addQuery(field, '=', text(value));
            this.setLimit(1);
            this.query();
            return this.next();
        },
        getRowCount: function () { return this.$.rows === null ? 0 : this.$.rows.length; },
        initialize: function () {
            this.$.reset({});
            this.$.isNew = true;
        },
        newRecord: function () {
            this.initialize();
            this.$.row = host('defaults', { table: this.$.table });
        },
        setNewGuidValue: function (sysId) { this.$.modified.sys_id = text(sysId); },
        setWorkflow: function (enabled) { this.$.workflow = !!enabled; },
        setAbortAction: function (abort) { this.$.aborted = !!abort; },
        isActionAborted: function () { return this.$.aborted; },
        insert: function () { return write(this, 'insert'); },
        update: function () { return write(this, this.$.isNew || !this.$.row.sys_id ? 'insert' : 'update'); },
        updateMultiple: function () {
            var modified = this.$.modified;
            this.query();
            while (this.next()) {
                this.$.modified = Object.assign({}, modified);
                this.update();
            }
        },
        deleteRecord: function () {
            var refusal = runBeforeRules(this, 'delete');
            if (refusal !== null) {
                this.$.lastError = refusal;
                return false;
            }
            var answer = host('delete', { table: this.$.table, sys_id: this.$.row.sys_id, workflow: this.$.workflow });
            this.$.lastError = text(answer.error);
            decideRules();
            return !answer.error;
        },
        deleteMultiple: function () {
            this.query();
            while (this.next()) {
                this.deleteRecord();
            }
        },
        getValue: function (name) {
            if (!this.$.columns[name]) {
                return null;
            }
            var value = this.$.value(name);
            // The database stores a true/false column as 1 or 0.
            if (this.$.columns[name].kind === 'boolean') {
                return value === 'true' ? '1' : '0';
            }
            return value === '' || this.$.columns[name].kind === 'journal_input' ? null : platformText(value);
        },
        // The platform ignores this for journal columns.
        setValue: function (name, value) {
            var column = this.$.columns[name];
            if (column && column.kind !== 'journal_input') {
                assign(this.$, name, value);
            }
        },
        setDisplayValue: function (name, value) { this.setValue(name, value); },
        getDisplayValue: function (name) {
            var state = this.$;
            return platformText(host('display', {
                table: state.table, row: Object.assign({}, state.row, state.modified), field: name || null
            }));
        },
        getElement: function (path) {
            var names = text(path).split('.');
            var element = this[names[0]];
            for (var index = 1; index < names.length && element; index += 1) {
                element = element[names[index]];
            }
            return element === undefined ? null : element;
        },
        getElements: function () {
            var record = this;
            return Object.keys(this.$.columns).map(function (name) { return elementOf(record, name); });
        },
        getUniqueValue: function () { return platformText(this.$.row.sys_id || this.$.modified.sys_id || null); },
        getTableName: function () { return platformText(this.$.table); },
        getRecordClassName: function () { return platformText(this.$.row.sys_class_name || this.$.table); },
        getClassDisplayValue: function () { return platformText(host('label', { table: this.$.table })); },
        getLastErrorMessage: function () { return platformText(this.$.lastError || null); },
        getEncodedQuery: function () {
            return this.$.parts.map(function (part) {
                return part.encoded !== undefined
                    ? part.encoded
                    : part.any.map(function (one) { return one.field + one.operator + one.value; }).join('^OR');
            }).join('^');
        },
        getED: function () { return { getLabel: this.getClassDisplayValue.bind(this) }; },
        isValid: function () { return this.$.valid; },
        isValidField: function (name) { return !!this.$.columns[name]; },
        isValidRecord: function () { return !!this.$.row.sys_id; },
        isNewRecord: function () { return this.$.isNew; },
        operation: function () { return platformText(this.$.operation); },
        changes: function () { return this.$.changed.length > 0; },
        canRead: function () { return true; },
        canWrite: function () { return true; },
        canCreate: function () { return true; },
        canDelete: function () { return true; },
        toString: function () { return '[object GlideRecord]'; }
    };
    global.GlideRecord = GlideRecord;

    function recordOf(table, row, operation) {
        var record = new GlideRecord(table);
        record.$.rows = [row];
        record.$.index = 0;
        record.$.reset(row);
        record.$.operation = operation;
        return record;
    }

    function write(record, operation) {
        var state = record.$;
        state.lastError = '';
        var refusal = runBeforeRules(record, operation);
        if (refusal !== null) {
            state.lastError = refusal;
            return null;
        }
        var answer = host(operation, {
            table: state.table, sys_id: state.row.sys_id, values: state.modified, workflow: state.workflow
        });
        decideRules();
        if (answer.error) {
            state.lastError = answer.error;
            return null;
        }
        if (answer.row === null && operation === 'update') {
            return null;
        }
        state.reset(answer.row);
        return platformText(answer.row.sys_id);
    }

    // Returns null, or the reason why a rule aborted the write.
    function runBeforeRules(record, operation) {
        var rules = record.$.workflow ? host('before_rules', { table: record.$.table, operation: operation }) : [];
        var messages = errorMessages;
        errorMessages = [];
        if (operation === 'insert' && rules.length > 0) {
            // A rule sees the new record with the defaults of its columns.
            record.$.row = Object.assign(host('defaults', { table: record.$.table }), record.$.row);
        }
        for (var index = 0; index < rules.length; index += 1) {
            runBeforeRule(record, operation, rules[index]);
            if (record.$.aborted) {
                var refusal = errorMessages.join(' ') || ('aborted by Business Rule \'' + rules[index].name + '\'');
                errorMessages = messages;
                return refusal;
            }
        }
        errorMessages = messages;
        return null;
    }

    function runBeforeRule(record, operation, rule) {
        var state = record.$;
        var stored = operation === 'insert' ? {} : state.row;
        var next = Object.assign({}, state.row, state.modified);
        state.operation = operation;
        if (rule.filter !== '' && !host('matches', { table: state.table, filter: rule.filter, row: next, previous: stored })) {
            return;
        }
        state.previous = Object.assign({}, stored);
        state.changed = Object.keys(next).filter(function (name) { return text(next[name]) !== text(stored[name]); });
        var names = { current: record, previous: recordOf(state.table, Object.assign({}, state.row), operation) };
        if (!agrees(names, rule)) {
            return;
        }
        if (rule.message !== '') {
            errorMessages.push(rule.message);
        }
        if (rule.aborts) {
            state.aborted = true;
        }
        runRule(names, rule);
    }

    // Whether the rule's `condition` script, if it has one, gives a true value.
    function agrees(names, rule) {
        if (rule.condition.trim() === '') {
            return true;
        }
        try {
            return !!runRule(names, { name: rule.name, script: rule.condition, rule_scope: rule.rule_scope });
        } catch (problem) {
            host('log', { level: 'error', message: rule.name + ': the condition failed: ' + problem });
            return false;
        }
    }

    // Runs a rule's script in the scope of the rule.
    function runRule(names, rule) {
        var outer = host('enter_scope', { scope: rule.rule_scope });
        try {
            return runWith(names, rule);
        } finally {
            host('enter_scope', { scope: outer });
        }
    }

    // Runs the `condition` scripts of the rules whose records have just been written, and the rules that follow at once.
    function decideRules() {
        for (var rule = host('next_undecided'); rule !== null; rule = host('next_undecided')) {
            var current = recordOf(rule.table, rule.current, rule.operation);
            var previous = recordOf(rule.table, rule.previous, rule.operation);
            current.$.changed = rule.changed;
            current.$.previous = rule.previous;
            var names = { current: current, previous: previous };
            var agreed = agrees(names, rule);
            host(agreed && !rule.follows_at_once ? 'queue_decided' : 'drop_decided');
            if (agreed && rule.follows_at_once) {
                follow(names, rule);
            }
        }
    }

    // Runs a rule after its write. The write stays if the rule fails.
    function follow(names, rule) {
        try {
            runRule(names, rule);
        } catch (problem) {
            host('log', { level: 'error', message: rule.name + ': ' + problem });
        }
    }

    // Runs a script with these names as globals. Returns the value of its last statement.
    function runWith(names, script) {
        var kept = {};
        Object.keys(names).forEach(function (name) {
            kept[name] = global[name];
            global[name] = names[name];
        });
        try {
            return evaluate(script.script, script.name);
        } finally {
            Object.keys(kept).forEach(function (name) { global[name] = kept[name]; });
        }
    }

    function GlideAggregate(table) {
        var state = new RecordState(text(table));
        var counted = false;
        this.addQuery = function () {
            return GlideRecord.prototype.addQuery.apply({ $: state, addEncodedQuery: this.addEncodedQuery }, arguments);
        };
        this.addEncodedQuery = function (encoded) { state.parts.push({ encoded: text(encoded) }); };
        this.addAggregate = function (kind) {
            if (kind !== 'COUNT') {
                throw new Error('GlideAggregate: only COUNT is played by the simulator');
            }
        };
        this.query = function () {
            state.rows = host('query', { table: state.table, parts: state.parts, order: [], limit: null, offset: 0 });
        };
        this.next = function () {
            var first = !counted;
            counted = true;
            return first;
        };
        this.getAggregate = function () { return String(state.rows.length); };
    }
    global.GlideAggregate = GlideAggregate;

    // ------------------------------------------------------------------ gs

    var errorMessages = [];
    function log(level) {
        return function (message) {
            var given = Array.prototype.slice.call(arguments, 1);
            var line = text(message).replace(/\{(\d+)\}/g, function (whole, index) {
                return index < given.length ? text(given[index]) : whole;
            });
            host('log', { level: level, message: line });
        };
    }
    function ago(milliseconds) {
        return function (count) { return formatTime(job.now - count * milliseconds); };
    }
    global.gs = {
        getProperty: function (name, otherwise) {
            var value = host('property', { name: text(name) });
            if (value === null || value === '') {
                return otherwise === undefined ? value : otherwise;
            }
            return platformText(value);
        },
        setProperty: function (name, value) { host('set_property', { name: text(name), value: text(value) }); },
        getUserID: function () { return platformText(job.user.sys_id); },
        getUserName: function () { return platformText(job.user.user_name); },
        getUserDisplayName: function () { return platformText(job.user.name); },
        getUser: function () {
            return {
                getID: global.gs.getUserID,
                getName: global.gs.getUserName,
                getDisplayName: global.gs.getUserDisplayName,
                getFullName: global.gs.getUserDisplayName,
                hasRole: global.gs.hasRole
            };
        },
        hasRole: function (role) { return host('has_role', { roles: text(role).split(',') }); },
        nil: function (value) { return value === null || value === undefined || text(value) === ''; },
        info: log('info'),
        warn: log('warn'),
        error: log('error'),
        debug: log('debug'),
        isDebugging: function () { return false; },
        addErrorMessage: function (message) { errorMessages.push(text(message)); },
        addInfoMessage: log('info'),
        getMessage: function (message) { return text(message); },
        base64Encode: function (value) { return host('base64_encode', { text: text(value) }); },
        base64Decode: function (value) { return host('base64_decode', { text: text(value) }); },
        urlEncode: function (value) { return encodeURIComponent(text(value)); },
        urlDecode: function (value) { return decodeURIComponent(text(value)); },
        generateGUID: function () { return platformText(host('guid')); },
        nowDateTime: function () { return platformText(formatTime(job.now)); },
        minutesAgo: ago(60000),
        hoursAgo: ago(3600000),
        daysAgo: ago(86400000),
        getCurrentScopeName: function () { return job.scope; },
        getCallerScopeName: function () { return null; },
        tableExists: function (table) { return columnsOf(text(table)) !== null; },
        eventQueue: function (name) { host('log', { level: 'info', message: 'event ' + text(name) }); },
        isInteractive: function () { return false; },
        isLoggedIn: function () { return true; },
        getSession: function () { return { isInteractive: function () { return false; }, getClientIP: function () { return '127.0.0.1'; } }; }
    };

    // ------------------------------------------------------------------ digests

    function GlideDigest() {}
    ['SHA256', 'SHA1', 'MD5'].forEach(function (algorithm) {
        ['Hex', 'Base64'].forEach(function (form) {
            GlideDigest.prototype['get' + algorithm + form] = function (value) {
                return host('digest', { algorithm: algorithm, form: form, text: text(value) });
            };
        });
    });
    global.GlideDigest = GlideDigest;

    function CertificateEncryption() {}
    CertificateEncryption.generateMac = function (key, algorithm, data) {
        return platformText(host('mac', { key: text(key), algorithm: text(algorithm), data: text(data) }));
    };
    CertificateEncryption.prototype.generateMac = CertificateEncryption.generateMac;
    global.CertificateEncryption = CertificateEncryption;

    global.GlideStringUtil = {
        base64Encode: global.gs.base64Encode,
        base64Decode: global.gs.base64Decode,
        escapeQueryTermSeparator: function (value) { return text(value).replace(/\^/g, '^^'); },
        nil: global.gs.nil
    };

    global.Class = {
        create: function () {
            return function () {
                if (typeof this.initialize === 'function') {
                    this.initialize.apply(this, arguments);
                }
            };
        }
    };
    // The prototypes of the platform's class library copy properties onto an object.
    Object.extend = function (target, source) { return Object.assign(target, source); };
    Object.extendsObject = function (parent, properties) {
        return Object.assign(Object.create(parent.prototype), properties);
    };
    global.AbstractAjaxProcessor = undefined;

    // ------------------------------------------------------------------ files

    // Scripts hand a stream on, and see none of its bytes.
    function GlideScriptableInputStream(source) {
        Object.defineProperty(this, '$source', { value: source });
    }

    function GlideSysAttachment() {}
    GlideSysAttachment.prototype = {
        getAttachments: function (table, record) {
            var attachments = new GlideRecord('sys_attachment');
            attachments.addQuery('table_name', table);
            attachments.addQuery('table_sys_id', record);
            attachments.query();
            return attachments;
        },
        getContentStream: function (sysId) {
            var id = text(sysId);
            return host('has_file', { sys_id: id }) ? new GlideScriptableInputStream({ attachment: id }) : null;
        },
        write: function (record, name, contentType, content) {
            return attach(record, name, contentType, { text: text(content) });
        },
        writeContentStream: function (record, name, contentType, stream) {
            return attach(record, name, contentType, stream.$source);
        },
        deleteAttachment: function (sysId) { host('detach', { sys_id: text(sysId) }); }
    };
    global.GlideSysAttachment = GlideSysAttachment;

    function attach(record, name, contentType, source) {
        var sysId = host('attach', {
            table: text(record.getTableName()), record: text(record.getUniqueValue()),
            name: text(name), content_type: text(contentType), source: source
        });
        decideRules();
        return platformText(sysId);
    }

    // ------------------------------------------------------------------ requests to other systems

    function RESTResponseV2(answer) {
        this.getStatusCode = function () { return answer.status; };
        this.getBody = function () { return platformText(answer.body); };
        this.haveError = function () { return answer.error !== null || answer.status >= 400; };
        this.getErrorMessage = function () {
            return platformText(answer.error || (answer.status >= 400 ? 'Method failed: code: ' + answer.status : ''));
        };
        this.getErrorCode = function () { return answer.error === null ? 0 : 1; };
        this.getHeader = function (name) {
            var value = answer.headers[text(name).toLowerCase()];
            return value === undefined ? null : value;
        };
        this.getHeaders = function () { return answer.headers; };
        this.getAllHeaders = function () {
            return Object.keys(answer.headers).map(function (name) { return { name: name, value: answer.headers[name] }; });
        };
    }

    function RESTMessageV2() {
        var message = { url: '', method: 'GET', headers: {}, body: '', timeout: null };
        var substitutes = true;
        this.setEndpoint = function (url) { message.url = text(url); };
        this.getEndpoint = function () { return message.url; };
        this.setHttpMethod = function (method) { message.method = text(method).toUpperCase(); };
        this.setRequestHeader = function (name, value) { message.headers[text(name).toLowerCase()] = text(value); };
        this.getRequestHeaders = function () { return message.headers; };
        this.setRequestBody = function (body) { message.body = text(body); };
        this.getRequestBody = function () { return message.body; };
        this.setHttpTimeout = function (milliseconds) { message.timeout = Number(milliseconds); };
        this.setQueryParameter = function (name, value) {
            message.url += (message.url.indexOf('?') < 0 ? '?' : '&') + encodeURIComponent(name) + '=' + encodeURIComponent(value);
        };
        this.disableForcedVariableSubstitution = function () { substitutes = false; };
        this.execute = function () {
            var sent = Object.assign({}, message);
            if (substitutes) {
                sent.body = sent.body.replace(/\$\{[^}]*\}/g, '');
            }
            return new RESTResponseV2(host('send', sent));
        };
    }
    global.sn_ws = { RESTMessageV2: RESTMessageV2, RESTResponseV2: RESTResponseV2 };

    // ------------------------------------------------------------------ Scripted REST

    function errorClass(status, title) {
        function ServiceError(message) {
            this.status = status;
            this.message = message === undefined ? title : text(message);
            this.detail = '';
        }
        ServiceError.prototype = {
            setStatus: function (value) { this.status = Number(value); },
            setMessage: function (value) { this.message = text(value); },
            setDetail: function (value) { this.detail = text(value); },
            getStatus: function () { return this.status; },
            getMessage: function () { return this.message; },
            getDetail: function () { return this.detail; },
            toString: function () { return this.message; },
            $serviceError: true
        };
        return ServiceError;
    }
    global.sn_ws_err = {
        ServiceError: errorClass(500, 'Service error'),
        BadRequestError: errorClass(400, 'Bad request'),
        NotFoundError: errorClass(404, 'Not found'),
        ConflictError: errorClass(409, 'Conflict'),
        NotAcceptableError: errorClass(406, 'Not acceptable'),
        UnsupportedMediaTypeError: errorClass(415, 'Unsupported media type')
    };

    function RESTAPIRequest(given) {
        this.pathParams = given.path_parameters;
        this.queryParams = given.query_parameters;
        this.queryString = given.query_string;
        this.uri = given.path;
        this.url = given.url;
        this.headers = given.headers;
        this.getHeader = function (name) {
            var value = given.headers[text(name).toLowerCase()];
            return value === undefined ? null : value;
        };
        this.getSupportedResponseContentTypes = function () { return ['application/json']; };
        if (given.has_body) {
            this.body = { hasNext: function () { return false; } };
            // Large bodies can be read as a stream alone, and a stream can be read once.
            Object.defineProperty(this.body, 'dataString', { get: function () { return host('body_text'); } });
            Object.defineProperty(this.body, 'data', { get: function () { return JSON.parse(host('body_text')); } });
            Object.defineProperty(this.body, 'dataStream', {
                get: function () { return new GlideScriptableInputStream('body'); }
            });
        }
    }

    function RESTAPIResponse(answer) {
        this.setBody = function (body) { answer.body = body; };
        this.setStatus = function (status) { answer.status = Number(status); };
        this.setHeader = function (name, value) { answer.headers[text(name).toLowerCase()] = text(value); };
        this.setHeaders = function (headers) {
            var response = this;
            Object.keys(headers).forEach(function (name) { response.setHeader(name, headers[name]); });
        };
        this.setContentType = function (type) { this.setHeader('content-type', type); };
        this.setLocation = function (location) { this.setHeader('location', location); };
        this.setError = function (error) { answer.error = error; };
        this.getStreamWriter = function () {
            return {
                writeStream: function (stream) {
                    if (answer.status === null || answer.headers['content-type'] === undefined) {
                        throw new Error('status and content type must be set before the stream is written');
                    }
                    answer.stream = stream.$source.attachment;
                },
                writeString: function () { throw new Error('writeString is not played by the simulator'); }
            };
        };
    }

    function serviceError(error) {
        if (error && error.$serviceError) {
            return { status: error.status, message: error.message, detail: error.detail };
        }
        return { status: 500, message: text(error && error.message || error), detail: text(error && error.stack) };
    }

    function runOperation() {
        var answer = { status: null, headers: {}, body: undefined, error: null };
        try {
            var returned = runWith({ request: new RESTAPIRequest(job.request), response: new RESTAPIResponse(answer) }, job);
            if (answer.body === undefined && returned !== undefined && returned !== null) {
                answer.body = returned;
            }
        } catch (problem) {
            answer.error = problem;
        }
        if (answer.error !== null) {
            answer.error = serviceError(answer.error);
        }
        return answer;
    }

    // ------------------------------------------------------------------ script includes

    // An include is evaluated when its name is first used, alone or after the name of its scope.
    function defineInclude(scope, name) {
        var loaded = false;
        var value;
        function load() {
            if (!loaded) {
                loaded = true;
                var source = host('include', { name: name });
                value = evaluate('(function () {\n' + source + '\nreturn typeof ' + name + ' === "undefined" ? undefined : ' + name + ';\n})()', name);
            }
            return value;
        }
        Object.defineProperty(global, name, { get: load, configurable: true });
        Object.defineProperty(scope, name, { get: load, configurable: true });
    }

    global.__prepare = function (given) {
        var app = JSON.parse(given);
        if (app.scope !== '') {
            global[app.scope] = {};
        }
        app.includes.forEach(function (name) { defineInclude(global[app.scope] || {}, name); });
    };

    // Runs one script of the app. Returns its answer as JSON.
    global.__main = function (given) {
        job = JSON.parse(given);
        randomState = job.random_seed | 0;
        errorMessages = [];
        var answer = null;
        if (job.kind === 'rule') {
            runRule({ current: recordOf(job.table, job.current, job.operation), previous: null }, job);
        } else if (job.kind === 'scheduled') {
            if (job.condition === null || runWith({}, { name: job.name, script: job.condition })) {
                runWith({}, job);
            }
        } else if (job.kind === 'operation') {
            answer = runOperation();
        } else if (job.kind === 'decide') {
            decideRules();
        } else if (job.kind === 'before') {
            var record = recordOf(job.table, job.previous, job.operation);
            record.$.isNew = job.operation === 'insert';
            record.$.modified = job.values;
            answer = { refusal: runBeforeRules(record, job.operation), values: record.$.modified };
        } else {
            answer = text(runWith({}, job));
        }
        return JSON.stringify(answer);
    };
})(globalThis);
