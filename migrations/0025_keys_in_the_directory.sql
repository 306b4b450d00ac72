DROP TRIGGER `outdated_instances_update`;
--> statement-breakpoint
CREATE TRIGGER `outdated_instances_update` AFTER UPDATE OF organization_id, user_id, element_key, name, tags, token_sealed, configuration, secrets, external_authentication, valid, invalid_reason, disabled, poller_disabled, registration_fault, baseline, polls_until, enabled_at, updated_at ON `instances`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('instance:' || NEW.id, 'instance:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_api_keys_update` AFTER UPDATE OF id, organization_id, key_hash, previous_hash, previous_expires_at, scopes, limits, expires_at ON `api_keys`
BEGIN
  INSERT INTO outdated (key, changed) SELECT DISTINCT 'api-key:' || hash.value, 'api-key:' || NEW.id
    FROM json_each(json_array(OLD.key_hash, OLD.previous_hash, NEW.key_hash, NEW.previous_hash)) AS hash WHERE hash.value IS NOT NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_api_keys_delete` AFTER DELETE ON `api_keys`
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'api-key:' || hash.value, 'api-key:' || OLD.id
    FROM json_each(json_array(OLD.key_hash, OLD.previous_hash)) AS hash WHERE hash.value IS NOT NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_organizations_keys` AFTER UPDATE OF deleting_at ON `organizations` WHEN OLD.deleting_at IS NOT NEW.deleting_at
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'api-key:' || hash.value, 'organization:' || NEW.id
    FROM api_keys, json_each(json_array(key_hash, previous_hash)) AS hash WHERE organization_id = NEW.id AND hash.value IS NOT NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_users_keys` AFTER UPDATE OF organization_id, role, deleting_at ON `users` WHEN OLD.role = 'admin' OR NEW.role = 'admin'
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'api-key:' || hash.value, 'user:' || NEW.id
    FROM api_keys, json_each(json_array(key_hash, previous_hash)) AS hash WHERE organization_id IN (OLD.organization_id, NEW.organization_id) AND hash.value IS NOT NULL;
END;
