import '@servicenow/sdk/global'

declare global {
    namespace Now {
        namespace Internal {
            interface Keys extends KeysRegistry {
                explicit: {
                    'acl-account-create': {
                        table: 'sys_security_acl'
                        id: 'b39da5419e4c493491e1dd57e30e4c4f'
                    }
                    'acl-account-delete': {
                        table: 'sys_security_acl'
                        id: 'bbd388830d3247c6898902a395a32f3f'
                    }
                    'acl-account-read': {
                        table: 'sys_security_acl'
                        id: 'ebd51c9644ef4d4aba721977e0efa3ed'
                    }
                    'acl-account-write': {
                        table: 'sys_security_acl'
                        id: '26db3e63a8dd47ed9651cfe7735edd20'
                    }
                    'acl-announcement-create': {
                        table: 'sys_security_acl'
                        id: '057b9e4461f040cb859214025e57b669'
                    }
                    'acl-announcement-delete': {
                        table: 'sys_security_acl'
                        id: '4235a093557f4b3db936a27563a867e1'
                    }
                    'acl-announcement-read': {
                        table: 'sys_security_acl'
                        id: '83527e199ee541eaae80290f0384debf'
                    }
                    'acl-announcement-write': {
                        table: 'sys_security_acl'
                        id: 'bbd07e847b914f1a99e4722743ee9a36'
                    }
                    'acl-category-create': {
                        table: 'sys_security_acl'
                        id: 'f455205386874e43bf2e50cca73a8d36'
                    }
                    'acl-category-delete': {
                        table: 'sys_security_acl'
                        id: '4293e7bb341c40479b79f4b038e7ec01'
                    }
                    'acl-category-read': {
                        table: 'sys_security_acl'
                        id: '25180c9e8eec4f04ae1c10f99bdcdaf4'
                    }
                    'acl-category-write': {
                        table: 'sys_security_acl'
                        id: '68f6bb93d5674ea4afee66cc2fc3da1a'
                    }
                    'acl-delivery-create': {
                        table: 'sys_security_acl'
                        id: 'd612be23807943eeb60792a3edbb4433'
                    }
                    'acl-delivery-delete': {
                        table: 'sys_security_acl'
                        id: '37a41b6eaba447b39c2cf8f85755a472'
                    }
                    'acl-delivery-read': {
                        table: 'sys_security_acl'
                        id: '9014e259c3954a0884c697fed85d1bcd'
                    }
                    'acl-delivery-write': {
                        table: 'sys_security_acl'
                        id: '171499dbda574b338ecf76bd0062eeed'
                    }
                    'acl-incident-account': {
                        table: 'sys_security_acl'
                        id: '95ae15df60774c31b267134ed6f027b6'
                    }
                    'acl-incident-account-create': {
                        table: 'sys_security_acl'
                        id: 'ef00197ee3fa415384f56b45523cde7a'
                    }
                    'acl-incident-additional-contacts-create': {
                        table: 'sys_security_acl'
                        id: '7e3229f1fb0a47bbac58ac49d3bddbbd'
                    }
                    'acl-incident-additional-contacts-write': {
                        table: 'sys_security_acl'
                        id: 'da83e7fc2124403aa58212847dfd7e93'
                    }
                    'acl-incident-case-id': {
                        table: 'sys_security_acl'
                        id: 'f6d94774727b490ba5baecd228b43e05'
                    }
                    'acl-incident-case-id-create': {
                        table: 'sys_security_acl'
                        id: 'a87f6fd38a4548549c7503b024e53fa7'
                    }
                    'acl-incident-case-status': {
                        table: 'sys_security_acl'
                        id: 'bde5025922c940f1bff7a54b092d6d09'
                    }
                    'acl-incident-case-status-create': {
                        table: 'sys_security_acl'
                        id: '06033348d49246cd856104e419a1e474'
                    }
                    'acl-incident-category-code-create': {
                        table: 'sys_security_acl'
                        id: 'cedeaff09e824524ac01d23ddf88bc45'
                    }
                    'acl-incident-category-code-write': {
                        table: 'sys_security_acl'
                        id: '1b971cb2dd0d40f1aefb5f23de7c360b'
                    }
                    'acl-incident-category-create': {
                        table: 'sys_security_acl'
                        id: '24b09a9ee6204665915106cc5a78255a'
                    }
                    'acl-incident-category-write': {
                        table: 'sys_security_acl'
                        id: 'd161dcdc9e1940a3b4719ab1aa0c5bea'
                    }
                    'acl-incident-display-id': {
                        table: 'sys_security_acl'
                        id: 'e0e4203d7e974636a7db7c4a0c99b9f5'
                    }
                    'acl-incident-display-id-create': {
                        table: 'sys_security_acl'
                        id: '524da0350d8e46f88d22d19495aa3e36'
                    }
                    'acl-incident-issue-type-create': {
                        table: 'sys_security_acl'
                        id: 'ac235e041b6248bea37994f340df6603'
                    }
                    'acl-incident-issue-type-write': {
                        table: 'sys_security_acl'
                        id: '39c0324869ff4eb19e7e99661d1c3950'
                    }
                    'acl-incident-language-create': {
                        table: 'sys_security_acl'
                        id: '1a00792a1aee43c2ba91b8e9c8bc68f9'
                    }
                    'acl-incident-language-write': {
                        table: 'sys_security_acl'
                        id: '4bff2a9eb3ce43138de3985a46f4f67c'
                    }
                    'acl-incident-last-error': {
                        table: 'sys_security_acl'
                        id: '41975a12fea84e5c844c2bad01763ea2'
                    }
                    'acl-incident-last-error-create': {
                        table: 'sys_security_acl'
                        id: 'bd417eb01a3549059b945d7030e17b2d'
                    }
                    'acl-incident-service-code-create': {
                        table: 'sys_security_acl'
                        id: '79eae5cb7a394b6aba06eed3ab08ff71'
                    }
                    'acl-incident-service-code-write': {
                        table: 'sys_security_acl'
                        id: 'a5da9a1982ab43eca814ccea70baf958'
                    }
                    'acl-incident-service-create': {
                        table: 'sys_security_acl'
                        id: '096bfc970ff048288f04d1cdb4c836f0'
                    }
                    'acl-incident-service-write': {
                        table: 'sys_security_acl'
                        id: '999569caa3194ea18ebb46dac31a9c88'
                    }
                    'acl-incident-sync-status': {
                        table: 'sys_security_acl'
                        id: '3828e7e0a8974d9e9c856e0c741774ab'
                    }
                    'acl-incident-sync-status-create': {
                        table: 'sys_security_acl'
                        id: '1c37d8c2e6c14fb889f47568a6cd3293'
                    }
                    'acl-link-create': {
                        table: 'sys_security_acl'
                        id: '300f7155815c4959b0258621ad3ebc41'
                    }
                    'acl-link-delete': {
                        table: 'sys_security_acl'
                        id: '39e7641f4c124722adde50f847b57975'
                    }
                    'acl-link-read': {
                        table: 'sys_security_acl'
                        id: '8f1d5267d6a24c319eed0dee10542865'
                    }
                    'acl-link-write': {
                        table: 'sys_security_acl'
                        id: 'f86b699f33b7405dbe6fae1a74773578'
                    }
                    'acl-outbox-create': {
                        table: 'sys_security_acl'
                        id: '857d55da318a44d9ac85126b5343824a'
                    }
                    'acl-outbox-delete': {
                        table: 'sys_security_acl'
                        id: '769c2291e25e430693cb96992b4d34ef'
                    }
                    'acl-outbox-read': {
                        table: 'sys_security_acl'
                        id: '45c2717defa6456f8eaaad140062979e'
                    }
                    'acl-outbox-write': {
                        table: 'sys_security_acl'
                        id: '44e2c33866094060b0b224df3d5b2d10'
                    }
                    'acl-rest': {
                        table: 'sys_security_acl'
                        id: '887ea0b5f84245c08ef8db0e931a8928'
                    }
                    'acl-service-create': {
                        table: 'sys_security_acl'
                        id: '6149d8c4a890447d96af0be1048c478d'
                    }
                    'acl-service-delete': {
                        table: 'sys_security_acl'
                        id: '45067dab75c94e0b9e66284fcecc70f9'
                    }
                    'acl-service-read': {
                        table: 'sys_security_acl'
                        id: '364fbd9d86a94beb83a4acbe6443333b'
                    }
                    'acl-service-write': {
                        table: 'sys_security_acl'
                        id: 'f3bf74e4a4234f2ea92389d15dc152a2'
                    }
                    'acl-settings-create': {
                        table: 'sys_security_acl'
                        id: '07c138e00eb144198d2f86a4fa50156e'
                    }
                    'acl-settings-delete': {
                        table: 'sys_security_acl'
                        id: 'a105e93b0ba541289aed9a93785099e7'
                    }
                    'acl-settings-read': {
                        table: 'sys_security_acl'
                        id: 'f9cb0195a4df4425bd9e9cc09394a1a9'
                    }
                    'acl-settings-webhook-secret-read': {
                        table: 'sys_security_acl'
                        id: '826ebf61707b446cbe8a3287ccbad529'
                    }
                    'acl-settings-write': {
                        table: 'sys_security_acl'
                        id: 'f41bd2f1754d463b9bdef33e6b99c0e6'
                    }
                    'acl-severity-create': {
                        table: 'sys_security_acl'
                        id: '02b53b7a039f4307bc5ecabc01362e2f'
                    }
                    'acl-severity-delete': {
                        table: 'sys_security_acl'
                        id: '7a8e780b4cfd40edaccc301fe42c4470'
                    }
                    'acl-severity-read': {
                        table: 'sys_security_acl'
                        id: '425e0a36adc340a2a749b66d25f965e7'
                    }
                    'acl-severity-write': {
                        table: 'sys_security_acl'
                        id: 'c5e1f92b004b44b3aad5487cad0587c1'
                    }
                    bom_json: {
                        table: 'sys_module'
                        id: 'fdcfba9c1f304702b87bc326f4673d24'
                    }
                    'business-rule-account-set-up': {
                        table: 'sys_script'
                        id: '7e549f0f2649462d9a973da880686a16'
                    }
                    'business-rule-account-valid': {
                        table: 'sys_script'
                        id: '25ac661aa7784a4e9ed82591c846f120'
                    }
                    'business-rule-file-attached': {
                        table: 'sys_script'
                        id: 'f3aee4aaf8894170833964a3c34eba2a'
                    }
                    'business-rule-incident-changed': {
                        table: 'sys_script'
                        id: '5664a2d7cb2e4a4ca4976bb6832c15ff'
                    }
                    'business-rule-settings-valid': {
                        table: 'sys_script'
                        id: 'd7a6ab1844a549b8a1a65d13c8ebf623'
                    }
                    'clone-clean-up': {
                        table: 'clone_cleanup_script'
                        id: 'c86a8e47b8014431af03ca326c7aa5e1'
                    }
                    'clone-preserver-accounts': {
                        table: 'clone_data_preserver'
                        id: 'eb47be921f1247a7b018236c170bdd90'
                    }
                    'clone-preserver-properties': {
                        table: 'clone_data_preserver'
                        id: '882d93eb7d964cd0891df3999289828a'
                        deleted: true
                    }
                    'clone-preserver-settings': {
                        table: 'clone_data_preserver'
                        id: '47c7e4de05054728ab74bf39c9c7a598'
                    }
                    'job-outbox': {
                        table: 'sysauto_script'
                        id: '3346f1cf39fc42b28a717d3e5f4cd88e'
                    }
                    menu: {
                        table: 'sys_app_application'
                        id: '221e23fcebc24844bcd9fa8084096937'
                    }
                    'module-accounts': {
                        table: 'sys_app_module'
                        id: '941e28d22ecd4c7b80ad749d027cd5d5'
                    }
                    'module-categories': {
                        table: 'sys_app_module'
                        id: 'bd40898c117c44a0af33a8cf4c9bffeb'
                    }
                    'module-deliveries': {
                        table: 'sys_app_module'
                        id: '3a350dadfacf4f82b73ecf0d16943666'
                    }
                    'module-incidents-in-error': {
                        table: 'sys_app_module'
                        id: 'fb3d6638448d4d9392d36ccede90eaa2'
                    }
                    'module-links': {
                        table: 'sys_app_module'
                        id: '57b90eddaf0a405cb5b442363e7f87b0'
                    }
                    'module-outbox': {
                        table: 'sys_app_module'
                        id: '7a594c2ab1ee4d339426cbf656d9cf84'
                    }
                    'module-outbox-errors': {
                        table: 'sys_app_module'
                        id: '9d25d2638b0248e4b23219a6efc06ff4'
                    }
                    'module-properties': {
                        table: 'sys_app_module'
                        id: '66ae2aa4af5149dfa730128ba3ecb846'
                    }
                    'module-services': {
                        table: 'sys_app_module'
                        id: 'b4bafeff6f844bea8cfe7a35cb8eab2d'
                    }
                    'module-settings': {
                        table: 'sys_app_module'
                        id: '7fc2ab1571b1468c9db4670b846cc1ce'
                    }
                    'module-severities': {
                        table: 'sys_app_module'
                        id: '5df4bb00ce7c4bddb25b1b8c8ba10275'
                    }
                    package_json: {
                        table: 'sys_module'
                        id: '72ce3a9da5944b75bfa0c88b88b164a8'
                    }
                    'privilege-attachment-create': {
                        table: 'sys_scope_privilege'
                        id: 'c01240dc12cd4ff5a05c28395bc900f9'
                    }
                    'privilege-attachment-delete': {
                        table: 'sys_scope_privilege'
                        id: '0bd67c2ee0bf45ccbf481555dac24597'
                    }
                    'privilege-attachment-read': {
                        table: 'sys_scope_privilege'
                        id: '044deda9c68d4ad29b5f7fce6fef81dd'
                    }
                    'privilege-audit-read': {
                        table: 'sys_scope_privilege'
                        id: '7cf9052684ae4fa98d8b474a7b447b2e'
                    }
                    'privilege-choice-read': {
                        table: 'sys_scope_privilege'
                        id: '4c1993085c7340ee926653c00ec53493'
                    }
                    'privilege-group-create': {
                        table: 'sys_scope_privilege'
                        id: '763be4672a454a68ae57bdc8d072476b'
                    }
                    'privilege-group-read': {
                        table: 'sys_scope_privilege'
                        id: '8af29b9ddd9a49b490bc2d2b8b7ee997'
                    }
                    'privilege-incident-create': {
                        table: 'sys_scope_privilege'
                        id: 'f53b4756f48545909e028f52c7f89bf8'
                    }
                    'privilege-incident-read': {
                        table: 'sys_scope_privilege'
                        id: '12812981164e400899ad815cfcf32673'
                    }
                    'privilege-incident-write': {
                        table: 'sys_scope_privilege'
                        id: 'f1f2b1e656ee4411bb31653ca255b298'
                    }
                    'privilege-journal-read': {
                        table: 'sys_scope_privilege'
                        id: '33e469eda3044db5bac0c3a9d7a96053'
                    }
                    'privilege-membership-create': {
                        table: 'sys_scope_privilege'
                        id: '79107bba98a64079ab5e3b9feb1f8ea6'
                    }
                    'privilege-membership-read': {
                        table: 'sys_scope_privilege'
                        id: 'c7fd11c0cc4347dcbbe9415f53b62101'
                    }
                    'privilege-user-create': {
                        table: 'sys_scope_privilege'
                        id: '1e896975e171417f82312ccc3063574f'
                    }
                    'privilege-user-read': {
                        table: 'sys_scope_privilege'
                        id: '15d67d13b2b74be2837da3f4cd2cbddd'
                    }
                    'property-claim-seconds': {
                        table: 'sys_properties'
                        id: '58115858a8a445a2a3b4467bec10b928'
                    }
                    'property-comment-prefix': {
                        table: 'sys_properties'
                        id: 'eacae98a291d45949b3df41231afbab9'
                    }
                    'property-home-instance': {
                        table: 'sys_properties'
                        id: '1e8817708d4f4e7db959f5e7240c0656'
                        deleted: true
                    }
                    'property-integration-user': {
                        table: 'sys_properties'
                        id: '223161e60924496e83dd0407c9d9e1e5'
                        deleted: true
                    }
                    'property-outbox-retention-days': {
                        table: 'sys_properties'
                        id: 'f647e409ee32466d95a57030c6831d78'
                    }
                    'property-silent-authors': {
                        table: 'sys_properties'
                        id: '4a6e6178742a421c97bf689439f580a1'
                    }
                    'property-webhook-secret': {
                        table: 'sys_properties'
                        id: '9c17e5e70f594ed9a607f5d3a8ec27b0'
                        deleted: true
                    }
                    'property-webhook-url': {
                        table: 'sys_properties'
                        id: '3571209ca3a14126af8de01923a4ee65'
                        deleted: true
                    }
                    'property-work-note-prefix': {
                        table: 'sys_properties'
                        id: 'cbbbcc5d9f9a4e43b3a64bdbdf83e8b9'
                    }
                    'rest-catalogue': {
                        table: 'sys_ws_operation'
                        id: '3acbf27fc6f047899ca8b4c6de3910f4'
                    }
                    'rest-catalogue-after': {
                        table: 'sys_ws_query_parameter'
                        id: '48752ddf821549e6bf0ad68e0521c05c'
                    }
                    'rest-catalogue-limit': {
                        table: 'sys_ws_query_parameter'
                        id: '922556dce48845ba8aa446e631d70467'
                    }
                    'rest-catalogue-part': {
                        table: 'sys_ws_query_parameter'
                        id: '4b8fd7f50bde47a997b85da211931908'
                    }
                    'rest-catalogue-write': {
                        table: 'sys_ws_operation'
                        id: 'addbca75c2ec4a729b06710c2eaa0d89'
                    }
                    'rest-changes': {
                        table: 'sys_ws_operation'
                        id: '44116cc4ad744168bce8d30d38690a77'
                    }
                    'rest-changes-after': {
                        table: 'sys_ws_query_parameter'
                        id: 'd729cba89a69464484584d479c486eae'
                    }
                    'rest-changes-limit': {
                        table: 'sys_ws_query_parameter'
                        id: '5c422a07bd6149418a1fc5e1fbe55d65'
                    }
                    'rest-changes-since': {
                        table: 'sys_ws_query_parameter'
                        id: '0dea3eba0ec3480f84bffd312f40f9a5'
                    }
                    'rest-deliver': {
                        table: 'sys_ws_operation'
                        id: '65293f9ff9294648911506584953001a'
                    }
                    'rest-file': {
                        table: 'sys_ws_operation'
                        id: '793d710face446f1bf991f063e7d20cf'
                    }
                    'rest-file-write': {
                        table: 'sys_ws_operation'
                        id: 'd71b87869cc948daa4b1ac299c89cb18'
                    }
                    'rest-file-write-content-type': {
                        table: 'sys_ws_query_parameter'
                        id: 'e3804849bf844f9caf901e3f311bf239'
                    }
                    'rest-file-write-external-id': {
                        table: 'sys_ws_query_parameter'
                        id: 'ab77b5df772a4bb0b210e826aba7fefa'
                    }
                    'rest-file-write-file-name': {
                        table: 'sys_ws_query_parameter'
                        id: 'af9c6c15ebac4a12a621d17777226a8c'
                    }
                    'rest-file-write-size-bytes': {
                        table: 'sys_ws_query_parameter'
                        id: '15ab15b2281346e2b6456d540f3c3f69'
                    }
                    'rest-incidents': {
                        table: 'sys_ws_definition'
                        id: 'b386474b2c6645c0827aad9bafdeaa71'
                    }
                    'rest-incidents-v1': {
                        table: 'sys_ws_version'
                        id: '6ffed81ee93a4e0d8f396f6a1470b158'
                    }
                    'rest-open': {
                        table: 'sys_ws_operation'
                        id: '571f0dfc709e467b93bbdedf03f53569'
                    }
                    'rest-snapshot': {
                        table: 'sys_ws_operation'
                        id: '9f92f50b9fd549779bb2afd5f3bbc659'
                    }
                    'rest-snapshot-entries-after': {
                        table: 'sys_ws_query_parameter'
                        id: 'd38272266e4b4d9f9e1ddb446498b08c'
                    }
                    'rest-snapshot-entries-before': {
                        table: 'sys_ws_query_parameter'
                        id: '06aea6cc02344e8ab4d4310332ec0f10'
                        deleted: true
                    }
                    'rest-snapshot-entries-since': {
                        table: 'sys_ws_query_parameter'
                        id: '81b37c6328e240bfaecbd3cd2b7104d4'
                    }
                    'rest-snapshot-kind': {
                        table: 'sys_ws_query_parameter'
                        id: '18efe737fdfe4a0482a761eff0f3cb90'
                    }
                    'script-include-account': {
                        table: 'sys_script_include'
                        id: 'e865c1c365bf403e9a57a1d43c1498a2'
                    }
                    'script-include-announcement': {
                        table: 'sys_script_include'
                        id: '3ddfa6be34ba448d8413f676542d2351'
                    }
                    'script-include-catalogue': {
                        table: 'sys_script_include'
                        id: 'c7ebd4f6e41740e8a4a825d3d1d77ee5'
                    }
                    'script-include-changes': {
                        table: 'sys_script_include'
                        id: 'c32ca159d298462aa32c32771b54f969'
                    }
                    'script-include-claim': {
                        table: 'sys_script_include'
                        id: '6c22a4a81b79468288d88fef642c48d7'
                    }
                    'script-include-delivery': {
                        table: 'sys_script_include'
                        id: '87b56dd4c80e4010b43219d4ac689bc6'
                    }
                    'script-include-file': {
                        table: 'sys_script_include'
                        id: '3768988a8df446928fe144c326d9af50'
                    }
                    'script-include-incident': {
                        table: 'sys_script_include'
                        id: '7318426d809c4db38e7db1bf1ef736f7'
                    }
                    'script-include-installation': {
                        table: 'sys_script_include'
                        id: '4d3405a6e64e46c88da7572121592d28'
                    }
                    'script-include-link': {
                        table: 'sys_script_include'
                        id: '47eb706baf754599a70489b9284edd1f'
                    }
                    'script-include-opening': {
                        table: 'sys_script_include'
                        id: 'e3ee491157d24976a88f2679e7084a44'
                    }
                    'script-include-outbox': {
                        table: 'sys_script_include'
                        id: '38873ee603054d5896353de7d0b5c93b'
                    }
                    'script-include-request': {
                        table: 'sys_script_include'
                        id: '3a2f1315d2164ed9bea4837139af83ea'
                    }
                    'script-include-settings': {
                        table: 'sys_script_include'
                        id: '67a6644422874db5a8131e8e2cedb969'
                    }
                    'script-include-sharing': {
                        table: 'sys_script_include'
                        id: '1f55713d7b474f1e85f3def8f8c1d3d2'
                    }
                    'script-include-trail': {
                        table: 'sys_script_include'
                        id: '88fd2875ca3b4d54899b1700fe26b035'
                    }
                    'script-include-webhook': {
                        table: 'sys_script_include'
                        id: '81536ea8ba264797a3b4e66bcd9dc819'
                    }
                    settings: {
                        table: 'x_casebridge_aws_settings'
                        id: 'ae86004d56e24d8aac7ac62e7e321127'
                    }
                    'test-installation': {
                        table: 'sys_atf_test'
                        id: '644bf1eb1b994fbdb1b9ddebe4293f20'
                    }
                    'test-installation-incident': {
                        table: 'sys_atf_step'
                        id: 'fade5129c1354e68b56be674649e8f69'
                    }
                    'test-installation-script': {
                        table: 'sys_atf_step'
                        id: 'a3eaa2cd07dc41a79d26c542db790d49'
                    }
                    'ui-action-adopt': {
                        table: 'sys_ui_action'
                        id: '7f1b50f68e44446399e78216e7502f7a'
                    }
                }
                composite: [
                    {
                        table: 'sys_security_acl_role'
                        id: '006725a48c6f42dbba9d2162ceb76ea5'
                        key: {
                            sys_security_acl: 'f41bd2f1754d463b9bdef33e6b99c0e6'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '011202ef7a68496385ae3eb63607cc68'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '01a88ffd8b9a442f86dd20b883a82909'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'aws_user'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '026ca233d2584790af1195f8e6ba4e2e'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '0398f1d4ba6b4e8a923475ea2b4b16f5'
                        key: {
                            sys_security_acl: 'bd417eb01a3549059b945d7030e17b2d'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0457fc4b36b6486ba7020513911b6c4c'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_display_id'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '05906751c5ce4c25bd3cba2b58b1a1b0'
                        key: {
                            sys_security_acl: '4bff2a9eb3ce43138de3985a46f4f67c'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: '05f72c36541e41b9bf1e47f1ea64355d'
                        key: {
                            document_key: 'fade5129c1354e68b56be674649e8f69'
                            variable: '9024a37f671003007ba405225685efe5'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '072a3448eeea44c197afbdff83e228e3'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'external_id'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '096fc699a44c4a6c9b47d9ca4e9e6cfe'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0b4a2e965a95406986a5947b4efeb2b4'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '0b97504e1eb446519ca8d79569d72369'
                        key: {
                            logical_table_name: 'x_casebridge_aws_outbox'
                            col_name_string: 'state,next_attempt_at'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '0bacc84091d345da88aeefe49a0ff03e'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'service'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0c85aa7b00f0411aa5e60ff5f351f5fd'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0d731908772044ada5d19a42f641307b'
                        deleted: true
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'in_scope'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '0def681e4bcb44479eee067c8ee7a17d'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'webhook_secret'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0e899c46c63945eabe13f0fe94feed74'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'production'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '0f5ce08677b94b269a73d457de07e086'
                        key: {
                            sys_security_acl: 'b39da5419e4c493491e1dd57e30e4c4f'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '0f8a42e2d6294c63a988db4ead179da6'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'incident_id'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '1053fe127fd2460eadf888a27624c4df'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'ja'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '115be1c245f3475090ab9b7eb7f64863'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'fr'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '1191e58195b4491e9b456c0ae074427a'
                        key: {
                            web_service_operation: '9f92f50b9fd549779bb2afd5f3bbc659'
                            web_service_query_parameter: '18efe737fdfe4a0482a761eff0f3cb90'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '11e1f0dcc2f34dfc9a0ff29c11226802'
                        key: {
                            sys_security_acl: '1a00792a1aee43c2ba91b8e9c8bc68f9'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '1239bb55ba69424b8e62fb5d96e01a48'
                        key: {
                            sys_security_acl: 'd161dcdc9e1940a3b4719ab1aa0c5bea'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '1267b84433df44249330c37e9c592500'
                        key: {
                            logical_table_name: 'x_casebridge_aws_service'
                            col_name_string: 'code'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '127af67ae8074fa5a442c7cc32e9cbd1'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'issue_type'
                            value: 'technical'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '12e91d7c13664ef4a1e74ce4ced09822'
                        key: {
                            sys_security_acl: '45c2717defa6456f8eaaad140062979e'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '13b3dd7f32994df5800f51f4951b963e'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '13fa2e3b5d0d4b95b57610841acffaee'
                        key: {
                            sys_security_acl: 'd612be23807943eeb60792a3edbb4433'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '140c41d8a9074702a1241b223b15fb59'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_user_role'
                        id: '1491acda19314bdeaefa9af34d89cce9'
                        key: {
                            name: 'x_casebridge_aws.user'
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: '14aee9e3f093488ebcaf3eb27d76931c'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '14c78ebb4ce849d2b529b0e99208f2b2'
                        key: {
                            sys_security_acl: '6149d8c4a890447d96af0be1048c478d'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '14eeaaabde9e4a96bbc6cb1757b14fd1'
                        key: {
                            sys_security_acl: '1c37d8c2e6c14fb889f47568a6cd3293'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '150f9939b8124b18b7664d699b729230'
                        deleted: true
                        key: {
                            sys_security_acl: '3828e7e0a8974d9e9c856e0c741774ab'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '1648ab489d904c1bb65faba5260a2016'
                        key: {
                            list_id: {
                                id: 'e0a117ec397f430f8b7b29286fc3411f'
                                key: {
                                    name: 'x_casebridge_aws_link'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '16bdd00572d441d7a66113a35ddda01f'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'number'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '1700a96b3c044e7d837e19a786681544'
                        key: {
                            sys_security_acl: 'c5e1f92b004b44b3aad5487cad0587c1'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '17394544c49f4ac9a537604a43350a10'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'number'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '17dcda29d4bb4de18eacc237535b77da'
                        key: {
                            list_id: {
                                id: '891a299fb51d4282a91318fcf0cf6054'
                                key: {
                                    name: 'x_casebridge_aws_category'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'service'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '19678f661e074e539dff1776c671723d'
                        key: {
                            sys_security_acl: '1b971cb2dd0d40f1aefb5f23de7c360b'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '1ab81644f1e843f89ac41f096579d843'
                        key: {
                            name: 'x_casebridge_aws_service'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '1d1657b24c904094b78524524ad7dc44'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '1f41a6e2ea5449aa936b9bfd51a60027'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'name'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: '1f7e848e8838411496eb715ce48ebdeb'
                        key: {
                            name: 'x_casebridge_aws_service'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '1fb8bb680bf14fa19a41e408728fb091'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'sys_created_on'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '2014bf174fb64ee6a108c0923639023d'
                        key: {
                            sys_security_acl: '45067dab75c94e0b9e66284fcecc70f9'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '2094adc0dda5487fa59e73db33503b95'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'incident'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '21445962cd984a80b6776b1811ea6b26'
                        key: {
                            sys_security_acl: '826ebf61707b446cbe8a3287ccbad529'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '21c2599ed1874af9bea9113f754ee84c'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '226bf0f522814112bcc22fbd2227960e'
                        key: {
                            sys_security_acl: 'a105e93b0ba541289aed9a93785099e7'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '22bba5b07ed74c34ab194099c3b91b83'
                        key: {
                            sys_security_acl: '364fbd9d86a94beb83a4acbe6443333b'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '22d62cd174dd4eb987975e1da3f5fc30'
                        key: {
                            sys_security_acl: '524da0350d8e46f88d22d19495aa3e36'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '2303cd3d8a6f4681ba9d02353945dded'
                        key: {
                            sys_security_acl: '887ea0b5f84245c08ef8db0e931a8928'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '23e0a5c5ed9c494eb31957ef9a5f8b0e'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'next_attempt_at'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '24913e17b9104c6fb1bed1f02b5b2061'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '24d2fe512053483397e22fae3302bf01'
                        key: {
                            sys_security_acl: '7e3229f1fb0a47bbac58ac49d3bddbbd'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '24dc2a450731471da7f5f09673670d6d'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'issue_type'
                            value: 'customer-service'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '265f423c9367456693405ddc4fed96a1'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'account'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '267c6be4695a45c782ea8ac0f8b0e376'
                        key: {
                            sys_security_acl: '4bff2a9eb3ce43138de3985a46f4f67c'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '26aba6ff9ace4ca0bf36d0816aa859fb'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '27296cd293a5459ea7c53d1456b02e39'
                        key: {
                            sys_security_acl: '26db3e63a8dd47ed9651cfe7735edd20'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '2776ebe20888479285972502ee5998fa'
                        key: {
                            sys_security_acl: 'ebd51c9644ef4d4aba721977e0efa3ed'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '2843b45ec4b04a038875be8f6610d0ba'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'state'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '2999bfd925e54bad8c0593c857ecd533'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_service'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '2a2bc8e415fc4842a6167cac0f0c85f8'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'allowed_hosts'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '2b6c6bbf9ac34db888bdfb27801228ac'
                        key: {
                            sys_security_acl: '25180c9e8eec4f04ae1c10f99bdcdaf4'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: '2c9916d3e6df4d7191e21c8001a9a757'
                        key: {
                            name: 'x_casebridge_aws_service'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: '2d808d8436a14d2d961fe9aa1e83e11a'
                        key: {
                            name: 'x_casebridge_aws_account'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '2da374b986b7487cae4998794cd1bc12'
                        key: {
                            sys_security_acl: '07c138e00eb144198d2f86a4fa50156e'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '2f4520309825420fb7d9799e61386ca6'
                        key: {
                            list_id: {
                                id: '1f7e848e8838411496eb715ce48ebdeb'
                                key: {
                                    name: 'x_casebridge_aws_service'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '2fec829e0b1a463b912c5bf8c684bfff'
                        key: {
                            logical_table_name: 'x_casebridge_aws_link'
                            col_name_string: 'incident'
                        }
                    },
                    {
                        table: 'sys_ui_action_role'
                        id: '302cc87d79c74373b4c1b50d851d04db'
                        deleted: true
                        key: {
                            sys_ui_action: '7f1b50f68e44446399e78216e7502f7a'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '304eb6c206bf4b47b51ef2947e4a2c0a'
                        key: {
                            list_id: {
                                id: '891a299fb51d4282a91318fcf0cf6054'
                                key: {
                                    name: 'x_casebridge_aws_category'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '3130cc9b6a074a3da25f27d9b5fab592'
                        key: {
                            logical_table_name: 'x_casebridge_aws_account'
                            col_name_string: 'number'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '31833f72d07d47119c979de52e014ad4'
                        key: {
                            web_service_operation: '9f92f50b9fd549779bb2afd5f3bbc659'
                            web_service_query_parameter: 'd38272266e4b4d9f9e1ddb446498b08c'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '31a7be426f7343efaf1f6897c319eaea'
                        key: {
                            sys_security_acl: '425e0a36adc340a2a749b66d25f965e7'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '31aea1fad2a948d190a30f95a44daf65'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'code'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: '322d3f1b7d8b43c3b056e882aaf58bcd'
                        key: {
                            document_key: 'a3eaa2cd07dc41a79d26c542db790d49'
                            variable: '989d9e235324220002c6435723dc3484'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '32bc1940743e40c586b7b9c3a1253426'
                        key: {
                            sys_security_acl: '1b971cb2dd0d40f1aefb5f23de7c360b'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '3333b578283b493389643c8f506cf48a'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'aws_user'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '33e1f628f5c8420abf3d6ad4b23bc68c'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'last_error'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '34212c056bb242d3ac9434ba55b163cd'
                        key: {
                            web_service_operation: 'd71b87869cc948daa4b1ac299c89cb18'
                            web_service_query_parameter: 'e3804849bf844f9caf901e3f311bf239'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '34542ffeaaa445d89d9b478c0519e199'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_additional_contacts'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '34718790f30c4bfcbc2a5eb5f2b3479e'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '34bb36fddb31485e9dfae4e5262a4b5a'
                        key: {
                            logical_table_name: 'x_casebridge_aws_account'
                            col_name_string: 'assignment_group'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '35e76d425e754c53a9cc771a8a50665e'
                        key: {
                            web_service_operation: 'd71b87869cc948daa4b1ac299c89cb18'
                            web_service_query_parameter: '15ab15b2281346e2b6456d540f3c3f69'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '363707b6bf804dababa34fca6e1da0ee'
                        key: {
                            sys_security_acl: '425e0a36adc340a2a749b66d25f965e7'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '374ba22269664fe7a836b38b498af983'
                        key: {
                            logical_table_name: 'x_casebridge_aws_delivery'
                            col_name_string: 'incident_id'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '37edad33b25f4edcbf7c296999e977de'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'sent_at'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '388e9ac738e74f02a0fa214d837e5166'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            language: 'en'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '38e1c24254dc453097713e19002cc2dd'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '39288ccc47db4f07acfb08db917af6fe'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'tr'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '3989e583783d426a92848b22e6bd12f0'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'journal'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '3a694a36906241338aaa049ccc5295e2'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '3aa47db0cdf14ae19a83d248742b5d5c'
                        key: {
                            sys_security_acl: '096bfc970ff048288f04d1cdb4c836f0'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '3b18b7a9b7514e2fb0d0cf146ee6678e'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'kind'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '3b369649293b4df2a68998638ace5cc2'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'name'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '3cc3caf673964cee960f1c7ec905068e'
                        deleted: true
                        key: {
                            sys_security_acl: 'e0e4203d7e974636a7db7c4a0c99b9f5'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '3d72f7f29f8d494786684eb6d723239f'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'code'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '3dc4179c61ce449aad5f739202fddd14'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '3e1a0ea6356d43799e3ec40265fbe50b'
                        key: {
                            sys_security_acl: 'f3bf74e4a4234f2ea92389d15dc152a2'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '3e1cad77f7de4078b50296a15b81706b'
                        key: {
                            name: 'x_casebridge_aws_settings'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '3edfc58dc1ad4497a2eae2bad3fe0db8'
                        key: {
                            logical_table_name: 'x_casebridge_aws_delivery'
                            col_name_string: 'sys_created_by'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '3efeb7a5d09a4ebbb51f1014862ca127'
                        deleted: true
                        key: {
                            sys_security_acl: 'f6d94774727b490ba5baecd228b43e05'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '41568d5231ec438985ad616ca04f48d2'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'last_error'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '418a1d12844d4055abb3e3d6f3b28d63'
                        key: {
                            sys_security_acl: 'a5da9a1982ab43eca814ccea70baf958'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '427cab4e8b86454bafa507db2139bca3'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'account'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '42f863c79e1f4490bec0de89302dee59'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '43f0648281594242bcac5a1dfe854800'
                        key: {
                            sys_security_acl: '44e2c33866094060b0b224df3d5b2d10'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '455bb95669684589962f95cb56771b4b'
                        key: {
                            web_service_operation: '44116cc4ad744168bce8d30d38690a77'
                            web_service_query_parameter: 'd729cba89a69464484584d479c486eae'
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: '461853d0c18946cc943be795bfc83f04'
                        key: {
                            document_key: 'fade5129c1354e68b56be674649e8f69'
                            variable: 'e6e3c7535320220002c6435723dc3496'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '465768bb86c542609a486c28a21ab931'
                        key: {
                            list_id: {
                                id: 'dc8121f860e743d7b45e1e8742d46ee6'
                                key: {
                                    name: 'x_casebridge_aws_settings'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'integration_user'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: '4662b4a50c94488bb3a99165b1156b3c'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '468b9965aaf847c2a0cab832bfb27c10'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'sys_created_on'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '47306d3d77254f3c8174f6d0b8edeeed'
                        key: {
                            sys_security_acl: '41975a12fea84e5c844c2bad01763ea2'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '47383ecbb92a4a57899ece3e5cd853bb'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_issue_type'
                            value: 'technical'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_user_role'
                        id: '475343242e9c49528f1e9cae322eabca'
                        key: {
                            name: 'x_casebridge_aws.integration'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '479c8547f2604ecfad0c77b210eea83a'
                        key: {
                            sys_security_acl: 'ac235e041b6248bea37994f340df6603'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '496572e4897d466781f6d1cb6d8b2da0'
                        key: {
                            sys_security_acl: '06033348d49246cd856104e419a1e474'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '49795ab65a24491f9c0a109ab951be43'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '4caa06278a7746509281a3187c1845fe'
                        key: {
                            sys_security_acl: '057b9e4461f040cb859214025e57b669'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '4d2455d5937446a1beda53645684ade8'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'state'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '4d498549a67e4d9187098eca472d7649'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '4ec3114e333c41aeb998fcb2b18bd503'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'active'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '4f8dfc16556c4bce83f865502eeefcb3'
                        key: {
                            web_service_operation: '3acbf27fc6f047899ca8b4c6de3910f4'
                            web_service_query_parameter: '922556dce48845ba8aa446e631d70467'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '50176cbb8fc6433da51801bee50ceaf5'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_case_id'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5024429795014c139f8e42398453fc35'
                        key: {
                            sys_security_acl: '39e7641f4c124722adde50f847b57975'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5076da6f2ec845eeac92f208f015c275'
                        key: {
                            sys_security_acl: '4235a093557f4b3db936a27563a867e1'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '50b471954b0b40288487b7aa780d6679'
                        key: {
                            logical_table_name: 'x_casebridge_aws_delivery'
                            col_name_string: 'journal'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '50db7643985a45d8b438f4cae00cf114'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '51410ccab82c4e1a9fd073cacc1068bb'
                        deleted: true
                        key: {
                            web_service_operation: '9f92f50b9fd549779bb2afd5f3bbc659'
                            web_service_query_parameter: '06aea6cc02344e8ab4d4310332ec0f10'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '5219ec30cc7849d7aa46ffacc545b7b6'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'webhook_id'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '52572758085d4aeb927619a9e1a6614c'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '53561f2e0110443eb21659cfd283bc00'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'category_key'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '5403fcc7005d4738a04e4f0d5d225e89'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'webhook_url'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '54810017675547709f3293ef4d5ef135'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'home_instance'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '54fc183ba0934312be58807cbaf975c5'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '552f84322714492f82f8b5df1300a811'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_display_id'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '55bce6391db74729ba13f6b6566914dd'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                            element: 'incident'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '55ed70fa257f491e81fdf4b8cf359f26'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'link_key'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '565567a4f76e415a983ee2d11b2619a2'
                        key: {
                            web_service_operation: '3acbf27fc6f047899ca8b4c6de3910f4'
                            web_service_query_parameter: '48752ddf821549e6bf0ad68e0521c05c'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '57b81023c68c42cf93c391c157cb39d6'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'configure_group'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '58294e5802f74a54bee7311c13b17234'
                        key: {
                            sys_security_acl: '25180c9e8eec4f04ae1c10f99bdcdaf4'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '58ad5b183145437cb3abb49f7a62ff76'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'home_instance'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '58c1bc66e8fb45d59b6eb771b4ae5772'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                            value: 'error'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '59178757614244469b78c924993dc99d'
                        key: {
                            web_service_operation: '9f92f50b9fd549779bb2afd5f3bbc659'
                            web_service_query_parameter: '81b37c6328e240bfaecbd3cd2b7104d4'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '5917f9de28c84cc8a4015e9d4faad18e'
                        key: {
                            list_id: {
                                id: 'dc8121f860e743d7b45e1e8742d46ee6'
                                key: {
                                    name: 'x_casebridge_aws_settings'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'allowed_hosts'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '5925a6c8567d4a089d6b4e719e9aea8b'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'state'
                            value: 'done'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5947b4763bc14157a871b7432d74f7ca'
                        key: {
                            sys_security_acl: '3828e7e0a8974d9e9c856e0c741774ab'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5a4f2189e30246d989cb264121bb3266'
                        key: {
                            sys_security_acl: 'f9cb0195a4df4425bd9e9cc09394a1a9'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '5b14b1ad8f5e4819894be6495d4409eb'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'en'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5ba687219e924fb4aedea471c2cf2f21'
                        key: {
                            sys_security_acl: 'a87f6fd38a4548549c7503b024e53fa7'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_user_role_contains'
                        id: '5bb4e7e2c3794635be94a743292f75b1'
                        key: {
                            role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                            contains: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '5bfdc93269be4f38846b153111aa8aa7'
                        key: {
                            web_service_operation: '44116cc4ad744168bce8d30d38690a77'
                            web_service_query_parameter: '0dea3eba0ec3480f84bffd312f40f9a5'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '5c0a8b26729e4f7c84c0d0096fce8520'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'last_error'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5c2fff09934040378cdc651ac1d250d9'
                        key: {
                            sys_security_acl: '1a00792a1aee43c2ba91b8e9c8bc68f9'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5c9086d118a74c0f94624c957628f73c'
                        key: {
                            sys_security_acl: '39c0324869ff4eb19e7e99661d1c3950'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '5ce04ceebe044e5190f7b7093bc80e6e'
                        key: {
                            name: 'x_casebridge_aws_severity'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '5ce76897e0654a878ab54145caae9ef8'
                        key: {
                            sys_security_acl: '95ae15df60774c31b267134ed6f027b6'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '5d32688f0e3244b994bf8dac232b84a7'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'integration_user'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '5e81ae7d2553464fb43e6e16399ec8e3'
                        key: {
                            list_id: {
                                id: '1f7e848e8838411496eb715ce48ebdeb'
                                key: {
                                    name: 'x_casebridge_aws_service'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '6004488d2bcc40d0b30746cabf6b0e34'
                        key: {
                            sys_security_acl: '37a41b6eaba447b39c2cf8f85755a472'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '60c28f5ea19f40a7b16ef0f93ad670a3'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'state'
                            value: 'claimed'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '6188edc0a95b4186a50bf3cfc6625b51'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'external_id'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '6213003c280d4360a6a27cc7120e01b2'
                        key: {
                            sys_security_acl: '7a8e780b4cfd40edaccc301fe42c4470'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '62e4e223721c460c884108016d8e9e50'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '6448a1d01e784752bf0e58585b12c8f4'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '64c720dae08046a0871c9b0a10ad3848'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'sent_at'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '652d9f7d10584f019eb58ddf66bc327f'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'ko'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '65db2519f3364d0892af1d6dbef28faf'
                        key: {
                            sys_security_acl: '4293e7bb341c40479b79f4b038e7ec01'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '6739ef4dcdab49ceaa17c6aeb0400b91'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'name'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '67bc9b528518415ca01ba86ba758af2a'
                        key: {
                            sys_security_acl: '999569caa3194ea18ebb46dac31a9c88'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: '6a1a4f7a01314a7f957467c1b661d61e'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_issue_type'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '6c1b2f0827c341f791a339445ea99cf4'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '6d0cfc45273b4a10aef6c183057f3ff3'
                        key: {
                            logical_table_name: 'x_casebridge_aws_severity'
                            col_name_string: 'account'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '6e432ac0505c40fd99ec696079726d21'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'severity_key'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '70cbe4a371b847d6ba42b07c75dc5188'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_case_id'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '70e39945a4414b5a85913e629cd94e4c'
                        key: {
                            sys_security_acl: '8f1d5267d6a24c319eed0dee10542865'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '7131b3389d304fcd966245a15c9730f3'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_category_code'
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: '715e202f571141f68368a5d5cd3308eb'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'issue_type'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '727feb0e680644a3ae44cd67ba3f7616'
                        key: {
                            sys_security_acl: '857d55da318a44d9ac85126b5343824a'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '73d4fc57472b4aed9d543ff97a235799'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'zh'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: '750c99dcf57644bf97b8c955fc1c9994'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '753f28c44dd047a2aba95bbf45ed86b8'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '76a2d7c88e76436785040c673a2b20e3'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'copy_caller'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '76e9556529c041ff83b0b01ed17442c9'
                        key: {
                            sys_security_acl: '68f6bb93d5674ea4afee66cc2fc3da1a'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '76ef0781debf4d41a095f63d5cf4f90f'
                        key: {
                            list_id: {
                                id: 'dc8121f860e743d7b45e1e8742d46ee6'
                                key: {
                                    name: 'x_casebridge_aws_settings'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'webhook_url'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '7718d7c6453245c08ae0a6dee7c33047'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'incident'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: '771c2c2d8b4c496597d8750bbe115b86'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '77a019313e5648f5ad82fd1990c0aff5'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '791337328a0b48febf2c4ed2c5c09961'
                        key: {
                            sys_security_acl: '79eae5cb7a394b6aba06eed3ab08ff71'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '7a73f42b04d944dd93e1537744cd34a7'
                        deleted: true
                        key: {
                            sys_security_acl: 'ebd51c9644ef4d4aba721977e0efa3ed'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '7bef9ab27cb442b38a740475a081303b'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'incident'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '7c987e98e24d4f399284a37b4b5b5513'
                        key: {
                            logical_table_name: 'x_casebridge_aws_link'
                            col_name_string: 'link_key'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '7dd39516ffc9478aab5809c4cde5f1cd'
                        key: {
                            sys_security_acl: '24b09a9ee6204665915106cc5a78255a'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '7e0b6fcd4a1d48288adb7b3541ca3b8d'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'sent_at'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '7e2614d8997f472fbfd09c8316955855'
                        key: {
                            web_service_operation: 'd71b87869cc948daa4b1ac299c89cb18'
                            web_service_query_parameter: 'ab77b5df772a4bb0b210e826aba7fefa'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '7ecf76128d7d41509d5d33f4212343ed'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'external_id'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: '7ee590d9d41b49df9d046e72bc4dd547'
                        key: {
                            web_service_operation: '44116cc4ad744168bce8d30d38690a77'
                            web_service_query_parameter: '5c422a07bd6149418a1fc5e1fbe55d65'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '7eec716cd49945979f21a32dca0c0711'
                        key: {
                            name: 'x_casebridge_aws_account'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: '7fae2dc6ea4a43f6ba66b7163dd151c6'
                        key: {
                            logical_table_name: 'x_casebridge_aws_category'
                            col_name_string: 'service'
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: '7ff6c0aca0e34ec3832f69b71a54658d'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'state'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: '813f092e85ca4114adfe867175cabafa'
                        key: {
                            name: 'incident'
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: '8251c44014d04235a2c0c642eacdd699'
                        key: {
                            document_key: 'fade5129c1354e68b56be674649e8f69'
                            variable: '90144b535320220002c6435723dc3488'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '82a062c83cb149bfaddc9831cdb9087f'
                        key: {
                            sys_security_acl: '769c2291e25e430693cb96992b4d34ef'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '83fc3d862acb49b395776a8439481e7f'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'attempts'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '847f47a75a304a7a8ba27ad1b6cff089'
                        key: {
                            sys_security_acl: 'da83e7fc2124403aa58212847dfd7e93'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '84f03deac0b943299229605579a0e75c'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'tr'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '8523ac1ed7674929ab6567c41f35021b'
                        key: {
                            sys_security_acl: '9014e259c3954a0884c697fed85d1bcd'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '85282c825c604f7f8c6f603254f49ae3'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_case_status'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '85321ea28df84544b1a08debfd177911'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_case_status'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '873b2fb96caa44b1b110ad2461f9b349'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'webhook_secret'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: '8795a5400ce1488ba56ed0d750f965be'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: '88a353c2ad8e485eaadebdc79dce1c60'
                        key: {
                            document_key: 'fade5129c1354e68b56be674649e8f69'
                            variable: 'dd54cf535320220002c6435723dc34fd'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: '891a299fb51d4282a91318fcf0cf6054'
                        key: {
                            name: 'x_casebridge_aws_category'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '8ba6add17847454680f9d421b4ba3186'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'ja'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: '8c94bcd8aa174f829f310e0277ca54ae'
                        key: {
                            name: 'x_casebridge_aws_settings'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '8d632442d25644f59ca719aca16e5469'
                        key: {
                            sys_security_acl: 'f86b699f33b7405dbe6fae1a74773578'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '8d73a6a3808c42b5852f68d0c403986d'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'es'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '8da5073a6fb0462f8081722c8716a6e2'
                        key: {
                            list_id: {
                                id: '891a299fb51d4282a91318fcf0cf6054'
                                key: {
                                    name: 'x_casebridge_aws_category'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '8e23cb6cd1a3460e908d799f2034a8e8'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'en'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: '8f00f07aba784e269574794efaf58f5d'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'es'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '8f8cdd4e0ea54c0194d19a88b1c6b32c'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_service_code'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '90aebc7909924c2c97bd95415bfb5e3d'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_sync_status'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: '92590626431e4820b542b120a665cf05'
                        key: {
                            name: 'x_casebridge_aws_category'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '929a44fc889f40f689b2c959deb62a80'
                        key: {
                            sys_security_acl: 'bde5025922c940f1bff7a54b092d6d09'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '9319a115471e49d2bca8d64feaf62564'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'next_attempt_at'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '93c47e89c70e424493ee5ee707cfcdeb'
                        key: {
                            list_id: {
                                id: 'e0a117ec397f430f8b7b29286fc3411f'
                                key: {
                                    name: 'x_casebridge_aws_link'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'sys_updated_on'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '9590281b19f54964879c7c74decfa609'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '95f2ffb3494b4b08af88f8c4581867c4'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'production'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '9622c1218c2c41268540f7a59a3c0f24'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '96acce67f2364f1ea5b187cdc859d31c'
                        key: {
                            sys_security_acl: '24b09a9ee6204665915106cc5a78255a'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '96f161f5e694461184d19209a045501f'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'incident_id'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '981c2f1e208d469abeecacce8ad6e926'
                        key: {
                            sys_security_acl: '7e3229f1fb0a47bbac58ac49d3bddbbd'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '983941d9b8f64894ba3bf64633c0cbb6'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'journal'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '99cb919124c84ac09716a6d903a6e5c9'
                        key: {
                            sys_security_acl: 'a5da9a1982ab43eca814ccea70baf958'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '9c2f9434db8b4da5923568153b716fa0'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_category'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: '9c33e71df7124a31aa65b41a83ebb169'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_service'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: '9cd2ef93b393468d9d239dde55b4faf7'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_last_error'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: '9db720c2708a4fb9acf2e2bb336fbfef'
                        key: {
                            list_id: {
                                id: '1f7e848e8838411496eb715ce48ebdeb'
                                key: {
                                    name: 'x_casebridge_aws_service'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: '9df48c966a054d798641e9937d3f99b0'
                        deleted: true
                        key: {
                            sys_security_acl: 'bde5025922c940f1bff7a54b092d6d09'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: '9f5de98866404ea48a15179f79e506c3'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: 'a0d8df962e014f2ab7a6bd41d852c58a'
                        key: {
                            name: 'x_casebridge_aws_link'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'a193afb4e657462c94bf15461a6bba2b'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'sync_status'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'a3369e4a8c8744ce940f28397e940810'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_account'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'a34d0777cb674706b756107bb81377a1'
                        key: {
                            list_id: {
                                id: '8795a5400ce1488ba56ed0d750f965be'
                                key: {
                                    name: 'x_casebridge_aws_severity'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'a533d670c7394dddb7d328f361fa1373'
                        key: {
                            sys_security_acl: 'f9cb0195a4df4425bd9e9cc09394a1a9'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'a626dddc78b245ef9419d1e0694016bf'
                        key: {
                            sys_security_acl: '39c0324869ff4eb19e7e99661d1c3950'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_action_role'
                        id: 'a683c458c8f7486ab69f2189541eec79'
                        key: {
                            sys_ui_action: '7f1b50f68e44446399e78216e7502f7a'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'a6eede2e25564381a12fd247493fc099'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'service'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'a79cf6e191204854ac6ae9e72418b281'
                        key: {
                            sys_security_acl: 'ac235e041b6248bea37994f340df6603'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'a834ba84eb65451cb19929d2512a8c81'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_sync_status'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'a86726a5041e4cd19ca8f93d6846b854'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'additional_contacts'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'a867272b92f74e0ea52e9d29f6690ab8'
                        key: {
                            sys_security_acl: 'da83e7fc2124403aa58212847dfd7e93'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'ab25de08377d42ff9c47548c41ec35d2'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'kind'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: 'ab6660c64a3545099da4a49aea3ed1a2'
                        key: {
                            name: 'x_casebridge_aws_severity'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'ab7d388e10ee4c06863f6dadbfbf7d8c'
                        key: {
                            logical_table_name: 'x_casebridge_aws_outbox'
                            col_name_string: 'incident'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'acab265123d941c7ba4a114454621bb0'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'ace34dbb86b0475f8684c7fbdf57ef0f'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_variable_value'
                        id: 'acf81414a15a47a69347cb9b7300287c'
                        key: {
                            document_key: 'a3eaa2cd07dc41a79d26c542db790d49'
                            variable: '42f2564b73031300440211d8faf6a777'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'ad6c8f690c644a598bb2aa8e8dd5d513'
                        key: {
                            sys_security_acl: 'ef00197ee3fa415384f56b45523cde7a'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'b10bc56dd2374433807ea197a405ddba'
                        key: {
                            sys_security_acl: '364fbd9d86a94beb83a4acbe6443333b'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'b28ad15b9ab74d20b3c26ac363a2e3a2'
                        key: {
                            list_id: {
                                id: '8795a5400ce1488ba56ed0d750f965be'
                                key: {
                                    name: 'x_casebridge_aws_severity'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'b2dec9de5de8453d83a1e56997dc84cb'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'pt'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'b34a17ffe2c642afb80c6da5943dac8b'
                        key: {
                            logical_table_name: 'x_casebridge_aws_delivery'
                            col_name_string: 'incident'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'b3d00f727d0e4b12bee1fb35e15202a8'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'active'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'b49d6cf7c0c74f7fbb9874ce75222fb3'
                        key: {
                            sys_security_acl: 'f6d94774727b490ba5baecd228b43e05'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'b7622a198804421fb7d01af59a74fc1b'
                        key: {
                            sys_security_acl: '79eae5cb7a394b6aba06eed3ab08ff71'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'b7c46a7bc54d4c4f95baf5c038628d2d'
                        key: {
                            list_id: {
                                id: 'e0a117ec397f430f8b7b29286fc3411f'
                                key: {
                                    name: 'x_casebridge_aws_link'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'sync_status'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'b8db2b19a1284275b2d818d977ac0a59'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'active'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'b97179760aa74415b8e4bd6913bdd4e3'
                        key: {
                            sys_security_acl: 'cedeaff09e824524ac01d23ddf88bc45'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'bbb74301f11b4a47bb90b83a2ca51417'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'claimed_at'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'bd2efb890f1b4a3faa619955c740de77'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'configure_group'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'bda91e087ce6417bb4cdb2a266ec4b20'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'next_attempt_at'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_user_role'
                        id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                        key: {
                            name: 'x_casebridge_aws.admin'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'be6e53f99f5342768db4c8bdc035b556'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'allowed_hosts'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'bee8e72cd6594fd9a922adfb9744698b'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_language'
                            value: 'pt'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'bf84e7b35be14b2aacd70a3519a5d178'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_category_code'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'bf914de8a2bb4c4fbc17f60b8bfa4ecb'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'severity_key'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'bff557bb708f430696c5a17c10e67e21'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'webhook_id'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'c11a9d0abfee442dbf677f255fd30747'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_last_error'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'c18f5f81738d4c2ba2de644528a34533'
                        key: {
                            list_id: {
                                id: 'dc8121f860e743d7b45e1e8742d46ee6'
                                key: {
                                    name: 'x_casebridge_aws_settings'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'home_instance'
                        }
                    },
                    {
                        table: 'sys_choice_set'
                        id: 'c1b4e0a90827434ab305e55406609ad6'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: 'c22d88b185344272baa4b564482675ab'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'c23219a947bb42dca47824fd9dbd3828'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_issue_type'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'c2c5531056184b2f9e2250416c54d767'
                        key: {
                            logical_table_name: 'x_casebridge_aws_severity'
                            col_name_string: 'severity_key'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'c3502fb3400543a687d8d9a68d74ad4f'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'c54c57ff322a43db8e20d4467a3dd065'
                        deleted: true
                        key: {
                            sys_security_acl: '95ae15df60774c31b267134ed6f027b6'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'c56133d6b2ff42bc9676a3debcbb606a'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'active'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'c69034a362064cc9bbfa8a51f71b9778'
                        deleted: true
                        key: {
                            sys_security_acl: '41975a12fea84e5c844c2bad01763ea2'
                            sys_user_role: {
                                id: '475343242e9c49528f1e9cae322eabca'
                                key: {
                                    name: 'x_casebridge_aws.integration'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'c6e98baaffa746fa9dd66fb5b9f43b0d'
                        key: {
                            logical_table_name: 'x_casebridge_aws_announcement'
                            col_name_string: 'incident'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: 'ca31c905b76849beb10e5577f7d28890'
                        key: {
                            name: 'x_casebridge_aws_link'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'caabb9f68c05462c98e89d817d6f9c62'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: 'cc24ace594e44611a5bf52784ba54bc2'
                        key: {
                            name: 'incident'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'cf16b9c1e286458eba1015c702a6bd14'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'issue_type'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'cff126e36ca6444bb9ae6c9eea128789'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd02dac92ce22473880d1f0ac3f9431eb'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'webhook_id'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'd0737e9482894747aaeb3ddd6bd11227'
                        key: {
                            sys_security_acl: 'e0e4203d7e974636a7db7c4a0c99b9f5'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'd0afca21fde8468985b54e6e695c840a'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'ko'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd0fb970cb7ee4710ac1bbe098f42a18b'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd137e9f76a3742379de9794b0aba7fcf'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'copy_caller'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd19f6f19cbdc4aa7852735c8ad2e4fd0'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'd2136d9a08074b3d8689af09c584e52b'
                        key: {
                            list_id: {
                                id: '8795a5400ce1488ba56ed0d750f965be'
                                key: {
                                    name: 'x_casebridge_aws_severity'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd28ea4518021477b81a86e2a3a88bbb6'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'link_key'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'd2bcd06b6cc84865ac19e8c1edee1a4c'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd34c34201de340ddbc92c8a0923dfc18'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'code'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'd55838a7ca944b53b14340ff4c15e97a'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'attempts'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'd55c1497b4734fb1a9493e9b105ac57b'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'active'
                            language: 'en'
                        }
                    },
                    {
                        table: 'ua_table_licensing_config'
                        id: 'd5f2768584a3441498c4fc33fbd088ed'
                        key: {
                            name: 'x_casebridge_aws_category'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'd5fac2e811ab4d68a6de4e6c87b5ea86'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'webhook_url'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'd7ba6a2c2abd4b1ca21daf4db5d3938f'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                            value: 'sent'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'd807df59a0714d7aaa180add8bf84149'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_category'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: 'd96566d16e9444b29d5fe1282832ce93'
                        key: {
                            name: 'x_casebridge_aws_account'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'd9776a19159e4845b286b97c316c19e5'
                        key: {
                            name: 'x_casebridge_aws_severity'
                            element: 'code'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'da73885990594777ad1ba6799b4ae100'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'category_key'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: 'dc8121f860e743d7b45e1e8742d46ee6'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'dc8d81e8ea0a42d0a225e985cab41b37'
                        key: {
                            logical_table_name: 'x_casebridge_aws_outbox'
                            col_name_string: 'webhook_id'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'dd16a0b51f454ccd99f245dcb132a75c'
                        key: {
                            logical_table_name: 'x_casebridge_aws_delivery'
                            col_name_string: 'external_id'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'dd88c5d844df4e16b0951dd9d003ac97'
                        key: {
                            name: 'x_casebridge_aws_service'
                            element: 'name'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'dd9ad9feb22f48a0a43d19c2840e233b'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'sync_status'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'ddc6a35e41e0429fa94685f8ed96872c'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_issue_type'
                            value: 'customer-service'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'de51360213fd4110b0637fb152865b52'
                        key: {
                            sys_security_acl: 'f455205386874e43bf2e50cca73a8d36'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'de85223815874f1ba1ffd7160f00bacf'
                        key: {
                            name: 'incident'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: 'e0a117ec397f430f8b7b29286fc3411f'
                        key: {
                            name: 'x_casebridge_aws_link'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'e0a23cbeaf1d4ebaac6a1965a97791c6'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'assignment_group'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'e2bd65e4c8984467bcfb36bb61d9bdc0'
                        key: {
                            list_id: {
                                id: 'e0a117ec397f430f8b7b29286fc3411f'
                                key: {
                                    name: 'x_casebridge_aws_link'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'last_error'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'e36906566051480ea61a1cdc5576874e'
                        key: {
                            sys_security_acl: 'bbd388830d3247c6898902a395a32f3f'
                            sys_user_role: {
                                id: 'bdbb2e319e074c15a3114f0e08ee4e13'
                                key: {
                                    name: 'x_casebridge_aws.admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'e4f7b74fa54842869881ab2f19655939'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'state'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'e502226799654579a4d824a926778593'
                        key: {
                            list_id: {
                                id: '891a299fb51d4282a91318fcf0cf6054'
                                key: {
                                    name: 'x_casebridge_aws_category'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'e515ae56cf144fa59db5d69ee8e584ef'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'zh'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'e77ac773bf524eb5b7cfc73509888118'
                        key: {
                            sys_security_acl: '999569caa3194ea18ebb46dac31a9c88'
                            sys_user_role: {
                                id: '1491acda19314bdeaefa9af34d89cce9'
                                key: {
                                    name: 'x_casebridge_aws.user'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'e82ee39e153a4822a27703559b69fbc2'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_account'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'e82fe7790c6e416f8dccd68d0b899b66'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'number'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: 'e86a7864f5224c04ab0bfbc01b280edc'
                        key: {
                            web_service_operation: '3acbf27fc6f047899ca8b4c6de3910f4'
                            web_service_query_parameter: '4b8fd7f50bde47a997b85da211931908'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'e86bb3ed86e44ed694126499de3eda56'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_additional_contacts'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'e8a1d5e550344743ac1d9911ef79daea'
                        key: {
                            sys_security_acl: '171499dbda574b338ecf76bd0062eeed'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'e8cec5c0582047c0b5e81bc16691e1a6'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_service_code'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'e9366b1b8e5349d3a99d0c12c10ee81b'
                        key: {
                            name: 'x_casebridge_aws_link'
                            element: 'last_error'
                        }
                    },
                    {
                        table: 'sys_ui_list'
                        id: 'e9b744cf3de0461893119a9c01cfb2e6'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            view: {
                                id: 'Default view'
                                key: {
                                    name: 'NULL'
                                }
                            }
                            sys_domain: 'global'
                            element: 'NULL'
                            relationship: 'NULL'
                            parent: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'e9c5fcb38dd84194b11f5cd9a5fa064a'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'NULL'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'e9cb72082c754b25bac73156d9a99539'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'name'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'eb47e0d6a4594577868f4ab30eea2ab6'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'integration_user'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'eb5da93758124d5f87462066c3af4402'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'issue_type'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'eb771932f6e6474eb3ddc34871efb6cc'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'assignment_group'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'ec1e5507263a4c18a7b06cdafc518252'
                        key: {
                            sys_security_acl: 'd161dcdc9e1940a3b4719ab1aa0c5bea'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'ed563b911b224367997f3e1a25d99046'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'assignment_group'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'edce1fcb515d43c7a9b7a4f6e8a4ccea'
                        key: {
                            sys_security_acl: '83527e199ee541eaae80290f0384debf'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'ee8546bb51794db787d2ba2818c2cf69'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'attempts'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'eee48f4b26a7433b9644b33dec9b6d1f'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'language'
                            value: 'fr'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_choice'
                        id: 'ef6d41c83c354341b9e7353dfb4c4192'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'state'
                            value: 'pending'
                            language: 'en'
                            dependent_value: 'NULL'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'ef7f397b903a4b7489c789c274c7e5e2'
                        key: {
                            sys_security_acl: 'bbd07e847b914f1a99e4722743ee9a36'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'f0000ef6eff64556b1cf9c54777d31fd'
                        key: {
                            sys_security_acl: '096bfc970ff048288f04d1cdb4c836f0'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f00a3ad9ca6c4daf8e1f66e7e0a3a756'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'journal'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'f2c95bc766244ce4bea561b516c2af3f'
                        key: {
                            sys_security_acl: '300f7155815c4959b0258621ad3ebc41'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f38d07e31c0f4a518c830ae7a3937b9c'
                        key: {
                            list_id: {
                                id: 'e0a117ec397f430f8b7b29286fc3411f'
                                key: {
                                    name: 'x_casebridge_aws_link'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'kind'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f3dcba56422645989f5ab6f29ef23993'
                        key: {
                            list_id: {
                                id: '8795a5400ce1488ba56ed0d750f965be'
                                key: {
                                    name: 'x_casebridge_aws_severity'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'account'
                        }
                    },
                    {
                        table: 'sys_index'
                        id: 'f53c977b2d5544edbcc3c8ae06cb4fca'
                        key: {
                            logical_table_name: 'x_casebridge_aws_category'
                            col_name_string: 'category_key'
                        }
                    },
                    {
                        table: 'sys_db_object'
                        id: 'f55ae9cd3fea422fa771a71be194d4ed'
                        key: {
                            name: 'x_casebridge_aws_announcement'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'f582d704953e421ba5a222893839faf8'
                        key: {
                            name: 'x_casebridge_aws_category'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'f5fe5e6a47db464db696559e5ad61900'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'f74d20f8fbd3464f8def9e322a65c0a7'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'production'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f83ea37e6485428aa973ac4f3299c29f'
                        key: {
                            list_id: {
                                id: 'e9b744cf3de0461893119a9c01cfb2e6'
                                key: {
                                    name: 'x_casebridge_aws_outbox'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'incident'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'f846ea885a9748e0b3d5aa7430e4560f'
                        key: {
                            sys_security_acl: '02b53b7a039f4307bc5ecabc01362e2f'
                            sys_user_role: {
                                id: '5d87028f4cb3481584caa9d760d49f3b'
                                key: {
                                    name: 'admin'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'f857e2c2ad3b4293b106a2f38a1b7e06'
                        deleted: true
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'in_scope'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f876a4f00d9a4742a7c3fcd4fcb290db'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'state'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'f9af731225f04a92a648ce856ed0f190'
                        key: {
                            list_id: {
                                id: '9f5de98866404ea48a15179f79e506c3'
                                key: {
                                    name: 'x_casebridge_aws_delivery'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'claimed_at'
                        }
                    },
                    {
                        table: 'sys_security_acl_role'
                        id: 'fb7805db72704384952a48d3cf66a521'
                        key: {
                            sys_security_acl: 'cedeaff09e824524ac01d23ddf88bc45'
                            sys_user_role: {
                                id: '02a0ccb7c5cc4cf4b388636ce2e79d67'
                                key: {
                                    name: 'itil'
                                }
                            }
                        }
                    },
                    {
                        table: 'sys_documentation'
                        id: 'fbae5b1771fb436ca4b62ae5b866781b'
                        key: {
                            name: 'x_casebridge_aws_delivery'
                            element: 'claimed_at'
                            language: 'en'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'fbe63f1879aa428e95d0b0bad312e4ec'
                        key: {
                            name: 'incident'
                            element: 'x_casebridge_aws_issue_type'
                        }
                    },
                    {
                        table: 'sys_ui_list_element'
                        id: 'fc89d4d295c1429d8e70a9ed5e8c1554'
                        key: {
                            list_id: {
                                id: '2d808d8436a14d2d961fe9aa1e83e11a'
                                key: {
                                    name: 'x_casebridge_aws_account'
                                    view: {
                                        id: 'Default view'
                                        key: {
                                            name: 'NULL'
                                        }
                                    }
                                    sys_domain: 'global'
                                    element: 'NULL'
                                    relationship: 'NULL'
                                    parent: 'NULL'
                                }
                            }
                            element: 'aws_user'
                        }
                    },
                    {
                        table: 'sys_ws_query_parameter_map'
                        id: 'fd3b843648b7445fa464ebb2ef9fd977'
                        key: {
                            web_service_operation: 'd71b87869cc948daa4b1ac299c89cb18'
                            web_service_query_parameter: 'af9c6c15ebac4a12a621d17777226a8c'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'fda61de8e9a94a8dbb86e01645a3ca80'
                        key: {
                            name: 'x_casebridge_aws_settings'
                            element: 'NULL'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'fe4af4af5fea47289854fb6ef3c4bd3a'
                        key: {
                            name: 'x_casebridge_aws_outbox'
                            element: 'last_error'
                        }
                    },
                    {
                        table: 'sys_dictionary'
                        id: 'fe5998ff2ae54e4c805dee4a9b4e2e0c'
                        key: {
                            name: 'x_casebridge_aws_account'
                            element: 'additional_contacts'
                        }
                    },
                ]
            }
        }
    }
}
