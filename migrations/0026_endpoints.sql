ALTER TABLE `destinations` ADD `tenant_id` text;--> statement-breakpoint
ALTER TABLE `destinations` ADD `name` text;--> statement-breakpoint
ALTER TABLE `destinations` ADD `description` text;--> statement-breakpoint
ALTER TABLE `destinations` ADD `metadata` text;--> statement-breakpoint
ALTER TABLE `destinations` ADD `selectors` text;--> statement-breakpoint
CREATE INDEX `destinations_tenant` ON `destinations` (`organization_id`,`tenant_id`) WHERE kind = 'endpoint';--> statement-breakpoint
CREATE UNIQUE INDEX `destinations_name` ON `destinations` (`organization_id`,`name`) WHERE name IS NOT NULL;--> statement-breakpoint
CREATE TRIGGER `outdated_endpoints_insert` AFTER INSERT ON `destinations` WHEN NEW.kind = 'endpoint'
BEGIN
  INSERT INTO outdated (key, changed) VALUES
    ('organization:' || NEW.organization_id || '/endpoints/' || coalesce(NEW.tenant_id, ''), 'organization:' || NEW.organization_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_endpoints_update` AFTER UPDATE OF enabled, policy, selectors ON `destinations` WHEN NEW.kind = 'endpoint'
BEGIN
  INSERT INTO outdated (key, changed) VALUES
    ('organization:' || NEW.organization_id || '/endpoints/' || coalesce(NEW.tenant_id, ''), 'organization:' || NEW.organization_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_endpoints_delete` AFTER DELETE ON `destinations` WHEN OLD.kind = 'endpoint'
BEGIN
  INSERT INTO outdated (key, changed) VALUES
    ('organization:' || OLD.organization_id || '/endpoints/' || coalesce(OLD.tenant_id, ''), 'organization:' || OLD.organization_id);
END;
