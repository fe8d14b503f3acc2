/**
 * Keeps what AWS Support offers: services with their categories, and the severities of each account. Incidents refer to
 * these rows, so none is ever deleted: what AWS no longer offers is inactive.
 */
var CasebridgeCatalogue = Class.create();

/** The tables by the names that an answer gives to their rows. */
CasebridgeCatalogue.TABLES = {
    services: 'x_casebridge_aws_service',
    categories: 'x_casebridge_aws_category',
    severities: 'x_casebridge_aws_severity'
};
/** The parts that are read one by one. */
CasebridgeCatalogue.PARTS = ['services', 'severities'];
/**
 * The form of a code: printable characters of ASCII without space, colon and caret. So the colon of a category's key has
 * one meaning, and no code changes the meaning of a query. The platform would run a key that begins with `javascript:`.
 */
CasebridgeCatalogue.CODE = /^(?!javascript$)[!-9;-\]_-~]{1,100}$/i;
CasebridgeCatalogue.CODE_FORM = 'must have 1 to 100 characters of ASCII without space, colon and caret, and not be javascript';
/** The most characters of a name, as the columns hold them. */
CasebridgeCatalogue.NAME_LIMIT = 200;
/** How many services, or accounts, one page shows: with a dozen categories each a page has about 100 KB. */
CasebridgeCatalogue.PAGE_DEFAULT = 50;
CasebridgeCatalogue.PAGE_MAXIMUM = 100;
/** The most rows that one request may name: some seconds of the 60 that the platform allows for a request. */
CasebridgeCatalogue.ROWS_MAXIMUM = 500;
/** The longest body: more than 500 rows with the longest codes and names need, with each character of a name escaped. */
CasebridgeCatalogue.BODY_CHARACTERS = 1000000;
/** The most categories of one page, and the most severities. AWS has about twelve a service, and five an account. */
CasebridgeCatalogue.CHILDREN_LIMIT = 10000;
/** The most refused rows that one answer names. The system log has all of them. */
CasebridgeCatalogue.REFUSED_LIMIT = 20;
/** The most severities of one account that a snapshot shows. AWS has five. */
CasebridgeCatalogue.LEVELS_LIMIT = 50;
/** What an agent chooses for an incident: the column of the code, with the column of the reference and its table. */
CasebridgeCatalogue.CHOICES = [
    { code: 'service_code', reference: 'service', table: CasebridgeCatalogue.TABLES.services },
    { code: 'category_code', reference: 'category', table: CasebridgeCatalogue.TABLES.categories }
];

/**
 * Returns the codes of the rows that the incident refers to, by the names of the code columns. A reference that is empty
 * or leads nowhere gives none: then the code column counts.
 */
CasebridgeCatalogue.chosen = function (incident) {
    var codes = {};
    CasebridgeCatalogue.CHOICES.forEach(function (choice) {
        var sysId = CasebridgeIncident.text(incident, CasebridgeIncident.PREFIX + choice.reference);
        var row = new GlideRecord(choice.table);
        if (CasebridgeRequest.SYS_ID.test(sysId) && row.get(sysId)) {
            codes[choice.code] = CasebridgeIncident.text(row, 'code');
        }
    });
    return codes;
};

/** Sets the incident's references to the rows of these codes. A code that has no row leaves its reference empty. */
CasebridgeCatalogue.choose = function (incident, serviceCode, categoryCode) {
    if (!CasebridgeCatalogue.CODE.test(serviceCode) || !CasebridgeCatalogue.CODE.test(categoryCode)) {
        return;
    }
    var service = CasebridgeCatalogue.find(CasebridgeCatalogue.TABLES.services, { code: serviceCode });
    if (service === null) {
        return;
    }
    var serviceId = String(service.getUniqueValue());
    var values = { service: serviceId, code: categoryCode };
    var category = CasebridgeCatalogue.find(CasebridgeCatalogue.TABLES.categories, values);
    incident.setValue(CasebridgeIncident.PREFIX + 'service', serviceId);
    if (category !== null) {
        incident.setValue(CasebridgeIncident.PREFIX + 'category', String(category.getUniqueValue()));
    }
};

/** Returns the oldest row of the table that has these values, or null. */
CasebridgeCatalogue.find = function (table, values) {
    var row = new GlideRecord(table);
    Object.keys(values).forEach(function (column) {
        row.addQuery(column, values[column]);
    });
    row.orderBy('sys_created_on');
    row.setLimit(1);
    row.query();
    return row.next() ? row : null;
};

/** Returns the codes of the severities that the account of this sys_id has, in their order, or [] if none is known. */
CasebridgeCatalogue.severityCodes = function (account) {
    var row = new GlideRecord(CasebridgeCatalogue.TABLES.severities);
    row.addQuery('account', account);
    row.addQuery('active', true);
    row.orderBy('code');
    row.setLimit(CasebridgeCatalogue.LEVELS_LIMIT);
    row.query();
    var codes = [];
    while (row.next()) {
        codes.push(CasebridgeIncident.text(row, 'code'));
    }
    return codes;
};

CasebridgeCatalogue.prototype = {
    /** `calls` is the request. Errors that are raised here end it. */
    initialize: function (calls) {
        this.calls = calls;
    },

    /**
     * Returns a page of a part, and whether there is more: the services after the code `after` with their categories, or
     * the accounts after the number `after` with their severities.
     */
    page: function (part, after, limit) {
        if (part === 'severities') {
            return this._page(part, CasebridgeIncident.ACCOUNTS, 'number', after, limit, this._withLevels);
        }
        return this._page(part, CasebridgeCatalogue.TABLES.services, 'code', after, limit, this._withCategories);
    },

    /**
     * Writes what differs from the body. Returns how many rows were written, and the keys of those that the instance
     * refused: a rule of the instance may refuse one row and take the others. A service or a category that the body does
     * not name stays as it is. The levels of an account are all that it has: any other becomes inactive.
     */
    write: function (body) {
        var order = this._parse(body);
        var written = { services: 0, categories: 0, severities: 0, refused: [] };
        order.services.forEach(function (service) {
            this._writeService(service, written);
        }, this);
        order.severities.forEach(function (given, index) {
            this._writeLevels('severities[' + index + ']', given, written);
        }, this);
        return written;
    },

    _page: function (part, table, key, after, limit, complete) {
        var row = new GlideRecord(table);
        if (after !== '') {
            row.addQuery(key, '>', after);
        }
        row.orderBy(key);
        // One more than is shown, to find out whether there are more.
        row.setLimit(limit + 1);
        row.query();
        var found = [];
        while (row.next()) {
            found.push(this._rowOf(row, key));
        }
        var answer = { more: found.length > limit };
        answer[part] = complete.call(this, found.slice(0, limit));
        return answer;
    },

    _rowOf: function (row, key) {
        return { sys_id: String(row.getUniqueValue()), key: CasebridgeIncident.text(row, key), shown: this._shown(row) };
    },

    _withCategories: function (services) {
        var categories = this._children(CasebridgeCatalogue.TABLES.categories, 'service', services);
        return services.map(function (service) {
            service.shown.categories = categories[service.sys_id] || [];
            return service.shown;
        });
    },

    _withLevels: function (accounts) {
        var levels = this._children(CasebridgeCatalogue.TABLES.severities, 'account', accounts);
        return accounts.map(function (account) {
            return { account: account.key, levels: levels[account.sys_id] || [] };
        });
    },

    // Returns the rows that refer to the parents, in the order of their codes, by the sys_id of the parent.
    _children: function (table, reference, parents) {
        var children = {};
        if (parents.length === 0) {
            return children;
        }
        var ids = parents.map(function (parent) {
            return parent.sys_id;
        });
        var row = new GlideRecord(table);
        row.addQuery(reference, 'IN', ids.join(','));
        row.orderBy('code');
        row.setLimit(CasebridgeCatalogue.CHILDREN_LIMIT);
        row.query();
        while (row.next()) {
            var parent = CasebridgeIncident.text(row, reference);
            children[parent] = (children[parent] || []).concat(this._shown(row));
        }
        return children;
    },

    _shown: function (row) {
        return {
            code: CasebridgeIncident.text(row, 'code'),
            name: CasebridgeIncident.text(row, 'name'),
            active: CasebridgeIncident.isTrue(row, 'active')
        };
    },

    _parse: function (body) {
        this.calls.checkNames('', body, ['services', 'severities']);
        var order = {
            services: this._checkRows('services', body.services, this._checkService),
            severities: this._checkRows('severities', body.severities, this._checkLevels)
        };
        var rows = order.services.length;
        order.services.forEach(function (service) {
            rows += (service.categories || []).length;
        });
        order.severities.forEach(function (given) {
            rows += given.levels.length;
        });
        if (rows > CasebridgeCatalogue.ROWS_MAXIMUM) {
            this.calls.invalid(
                'services and severities',
                'must hold at most ' + CasebridgeCatalogue.ROWS_MAXIMUM + ' services, categories and levels together'
            );
        }
        return order;
    },

    // Returns the list, whose elements have passed `check`. A missing list is an empty one.
    _checkRows: function (name, values, check) {
        var rows = this.calls.checkList(name, values, CasebridgeCatalogue.ROWS_MAXIMUM);
        rows.forEach(function (row, index) {
            check.call(this, name + '[' + index + ']', row);
        }, this);
        return rows;
    },

    _checkService: function (name, service) {
        this._checkRow(name, service, ['code', 'name', 'active', 'categories']);
        this._checkActive(name, service);
        this._checkRows(name + '.categories', service.categories, this._checkCategory);
    },

    _checkCategory: function (name, category) {
        this._checkRow(name, category, ['code', 'name', 'active']);
        this._checkActive(name, category);
    },

    _checkLevels: function (name, given) {
        this.calls.checkObject(name, given);
        this.calls.checkNames(name + '.', given, ['account', 'levels']);
        if (typeof given.account !== 'string' || !CasebridgeIncident.ACCOUNT_NUMBER.test(given.account)) {
            this.calls.invalid(name + '.account', 'must be an AWS account number of 12 digits');
        }
        if (!Array.isArray(given.levels)) {
            this.calls.invalid(name + '.levels', 'must be a list');
        }
        this._checkRows(name + '.levels', given.levels, function (levelName, level) {
            this._checkRow(levelName, level, ['code', 'name']);
        });
    },

    _checkRow: function (name, row, known) {
        this.calls.checkObject(name, row);
        this.calls.checkNames(name + '.', row, known);
        this.calls.checkText(name + '.code', row.code);
        if (!CasebridgeCatalogue.CODE.test(row.code)) {
            this.calls.unacceptable(name + '.code', CasebridgeCatalogue.CODE_FORM);
        }
        this.calls.checkContent(name + '.name', row.name, 1, CasebridgeCatalogue.NAME_LIMIT);
    },

    _checkActive: function (name, row) {
        if (typeof row.active !== 'boolean') {
            this.calls.invalid(name + '.active', 'must be true or false');
        }
    },

    _writeService: function (service, written) {
        var serviceId = this._put(written, 'services', { code: service.code }, this._values(service));
        if (serviceId === '') {
            return;
        }
        (service.categories || []).forEach(function (category) {
            var values = this._values(category);
            values.service = serviceId;
            values.code = category.code;
            this._put(written, 'categories', { category_key: service.code + ':' + category.code }, values);
        }, this);
    },

    _writeLevels: function (name, given, written) {
        var account = new GlideRecord(CasebridgeIncident.ACCOUNTS);
        if (!account.get('number', given.account)) {
            this.calls.unacceptable(name + '.account', 'no account has the number ' + given.account);
        }
        var accountId = String(account.getUniqueValue());
        var kept = given.levels.map(function (level) {
            var values = { account: accountId, code: level.code, name: level.name, active: '1' };
            this._put(written, 'severities', { severity_key: given.account + ':' + level.code }, values);
            return level.code;
        }, this);
        // The levels are all that the account has.
        CasebridgeCatalogue.severityCodes(accountId).forEach(function (code) {
            if (kept.indexOf(code) < 0) {
                this._put(written, 'severities', { severity_key: given.account + ':' + code }, { active: '0' });
            }
        }, this);
    },

    _values: function (row) {
        return { name: row.name, active: row.active ? '1' : '0' };
    },

    // Gives the row with this key these values, and makes it if there is none. Counts it in `written` if that takes a
    // write. Returns its sys_id, or '' if the instance refuses it. References are among the values: the platform empties
    // them when the record is deleted, and does not restore them with it.
    _put: function (written, kind, key, values) {
        var table = CasebridgeCatalogue.TABLES[kind];
        var row = CasebridgeCatalogue.find(table, key);
        var problem = '';
        if (row === null) {
            problem = this._insert(table, key, values);
            written[kind] += problem === '' ? 1 : 0;
            // Another request may have made the row meanwhile. The unique index then refuses a second one.
            row = CasebridgeCatalogue.find(table, key);
        }
        if (row === null) {
            return this._refused(written, kind, key, problem || 'the table does not show the row that it took');
        }
        if (this._set(row, values)) {
            problem = CasebridgeIncident.save(row, 'update');
            if (problem !== '') {
                return this._refused(written, kind, key, problem);
            }
            written[kind] += 1;
        }
        return String(row.getUniqueValue());
    },

    // Returns '' or why the row was not made.
    _insert: function (table, key, values) {
        var row = new GlideRecord(table);
        row.initialize();
        this._set(row, key);
        this._set(row, values);
        return CasebridgeIncident.save(row, 'insert');
    },

    // Sets the row's values. Returns whether the row had others.
    _set: function (row, values) {
        var differs = false;
        Object.keys(values).forEach(function (column) {
            differs = CasebridgeIncident.put(row, column, values[column]) || differs;
        });
        return differs;
    },

    // Returns ''.
    _refused: function (written, kind, key, problem) {
        var name = key[Object.keys(key)[0]];
        gs.error('casebridge: the instance refused a row of the ' + kind + ', ' + name + ': ' + problem);
        if (written.refused.length < CasebridgeCatalogue.REFUSED_LIMIT) {
            written.refused.push(name);
        }
        return '';
    },

    type: 'CasebridgeCatalogue'
};
