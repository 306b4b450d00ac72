CREATE TABLE `tenants` (
	`organization_id` integer NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`metadata` text NOT NULL,
	`disabled` integer DEFAULT false NOT NULL,
	`rate` real,
	`retention_days` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleting_at` integer,
	PRIMARY KEY(`organization_id`, `id`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `tenants_deleting` ON `tenants` (`deleting_at`) WHERE deleting_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `audit` ADD `tenant_id` text;--> statement-breakpoint
CREATE INDEX `audit_tenant` ON `audit` (`organization_id`,`tenant_id`,`at`) WHERE tenant_id IS NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `tenant_id` text;--> statement-breakpoint
CREATE INDEX `users_tenant` ON `users` (`organization_id`,`tenant_id`) WHERE tenant_id IS NOT NULL;--> statement-breakpoint
ALTER TABLE `instances` ADD `tenant_id` text;--> statement-breakpoint
CREATE INDEX `instances_tenant` ON `instances` (`organization_id`,`tenant_id`) WHERE tenant_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `destinations_of_tenant` ON `destinations` (`organization_id`,`tenant_id`,`id`) WHERE tenant_id IS NOT NULL;--> statement-breakpoint
DROP TRIGGER `outdated_instances_update`;
--> statement-breakpoint
CREATE TRIGGER `outdated_instances_update` AFTER UPDATE OF organization_id, user_id, element_key, name, tags, tenant_id, token_sealed, configuration, secrets, external_authentication, valid, invalid_reason, disabled, poller_disabled, registration_fault, baseline, polls_until, enabled_at, updated_at ON `instances`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('instance:' || NEW.id, 'instance:' || NEW.id);
END;
--> statement-breakpoint
DROP TRIGGER `outdated_users_update`;
--> statement-breakpoint
CREATE TRIGGER `outdated_users_update` AFTER UPDATE OF organization_id, username, email, email_verified_at, is_active, plan, metadata, tenant_id, token_version, role, deleting_at ON `users`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('user:' || NEW.id, 'user:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_tenants_update` AFTER UPDATE ON `tenants`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || NEW.organization_id || '/tenants/' || NEW.id, 'tenant:' || NEW.organization_id || '/' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_tenants_delete` AFTER DELETE ON `tenants`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || OLD.organization_id || '/tenants/' || OLD.id, 'tenant:' || OLD.organization_id || '/' || OLD.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_tenants_sources` AFTER UPDATE OF disabled, retention_days, deleting_at ON `tenants`
  WHEN OLD.disabled IS NOT NEW.disabled OR OLD.retention_days IS NOT NEW.retention_days OR OLD.deleting_at IS NOT NEW.deleting_at
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'instance:' || id, 'tenant:' || NEW.organization_id || '/' || NEW.id FROM instances
    WHERE organization_id = NEW.organization_id AND tenant_id = NEW.id;
  INSERT INTO outdated (key, changed) SELECT 'user:' || id, 'tenant:' || NEW.organization_id || '/' || NEW.id FROM users
    WHERE organization_id = NEW.organization_id AND tenant_id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER `destinations_tenant` AFTER INSERT ON `destinations` WHEN NEW.kind IN ('instance', 'flow-step')
BEGIN
  UPDATE destinations SET tenant_id = t.id FROM (
    SELECT tenant_id AS id FROM instances WHERE NEW.kind = 'instance' AND instances.id = CAST(NEW.owner_id AS INTEGER)
    UNION ALL
    SELECT users.tenant_id FROM flows JOIN users ON users.id = flows.user_id WHERE NEW.kind = 'flow-step' AND flows.id = NEW.owner_id
  ) AS t WHERE destinations.id = NEW.id AND destinations.tenant_id IS NOT t.id;
END;
--> statement-breakpoint
CREATE TRIGGER `instances_tenant_moved` AFTER UPDATE OF tenant_id ON `instances` WHEN OLD.tenant_id IS NOT NEW.tenant_id
BEGIN
  UPDATE destinations SET tenant_id = NEW.tenant_id WHERE kind = 'instance' AND owner_id = CAST(NEW.id AS TEXT);
END;
--> statement-breakpoint
CREATE TRIGGER `users_tenant_moved` AFTER UPDATE OF tenant_id ON `users` WHEN OLD.tenant_id IS NOT NEW.tenant_id
BEGIN
  UPDATE destinations SET tenant_id = NEW.tenant_id WHERE kind = 'flow-step' AND owner_id IN (SELECT id FROM flows WHERE user_id = NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_tenants_destinations` AFTER UPDATE OF disabled, rate, deleting_at ON `tenants`
  WHEN OLD.disabled IS NOT NEW.disabled OR OLD.rate IS NOT NEW.rate OR OLD.deleting_at IS NOT NEW.deleting_at
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'organization:' || organization_id || '/' || id, 'tenant:' || NEW.organization_id || '/' || NEW.id
    FROM destinations WHERE organization_id = NEW.organization_id AND tenant_id = NEW.id;
END;
