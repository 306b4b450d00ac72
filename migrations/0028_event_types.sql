CREATE TABLE `event_types` (
	`organization_id` integer NOT NULL,
	`name` text NOT NULL,
	`revision` text NOT NULL,
	`description` text NOT NULL,
	`schema` text,
	`example` text NOT NULL,
	`version` integer NOT NULL,
	`deprecated` integer NOT NULL,
	`conversions` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `name`)
);
--> statement-breakpoint
CREATE TRIGGER `outdated_event_types_insert` AFTER INSERT ON `event_types`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || NEW.organization_id || '/event-types', 'organization:' || NEW.organization_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_event_types_update` AFTER UPDATE ON `event_types`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || NEW.organization_id || '/event-types', 'organization:' || NEW.organization_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_event_types_delete` AFTER DELETE ON `event_types`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || OLD.organization_id || '/event-types', 'organization:' || OLD.organization_id);
END;
