CREATE TABLE `objects` (
	`organization_id` integer NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	PRIMARY KEY(`organization_id`, `kind`, `name`)
);
--> statement-breakpoint
ALTER TABLE `organizations` ADD `deleting_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `deleting_at` integer;--> statement-breakpoint
CREATE INDEX `users_deleting` ON `users` (`deleting_at`) WHERE deleting_at IS NOT NULL;