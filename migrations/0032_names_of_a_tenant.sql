DROP INDEX `destinations_name`;--> statement-breakpoint
CREATE UNIQUE INDEX `destinations_name_of_none` ON `destinations` (`organization_id`,`name`) WHERE name IS NOT NULL AND tenant_id IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `destinations_name` ON `destinations` (`organization_id`,`tenant_id`,`name`) WHERE name IS NOT NULL AND tenant_id IS NOT NULL;