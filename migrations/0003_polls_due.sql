ALTER TABLE `rollups` ADD `polls_due` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `polls_late` integer DEFAULT 0 NOT NULL;