CREATE TABLE `resource_changes` (
	`organization_id` integer NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`event_id` text NOT NULL,
	`type` text NOT NULL,
	`group_name` text NOT NULL,
	`kind` text NOT NULL,
	`scope` text NOT NULL,
	`name` text NOT NULL,
	`resource_id` text NOT NULL,
	`body` text NOT NULL,
	`targets` text NOT NULL,
	PRIMARY KEY(`organization_id`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `resource_cursors` (
	`organization_id` integer PRIMARY KEY NOT NULL,
	`handed_seq` integer DEFAULT 0 NOT NULL,
	`listeners_version` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `resources` (
	`organization_id` integer NOT NULL,
	`kind` text NOT NULL,
	`scope` text NOT NULL,
	`name` text NOT NULL,
	`id` text NOT NULL,
	`title` text NOT NULL,
	`version` integer NOT NULL,
	`state` text,
	`seq` integer NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`modified_at` integer NOT NULL,
	`modified_by` text NOT NULL,
	`content` text NOT NULL,
	PRIMARY KEY(`organization_id`, `kind`, `scope`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `resources_kind` ON `resources` (`organization_id`,`kind`,`seq`);--> statement-breakpoint
CREATE INDEX `resources_scope` ON `resources` (`organization_id`,`kind`,`scope`,`seq`);