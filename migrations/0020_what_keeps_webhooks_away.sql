ALTER TABLE `instances` ADD `registration_fault` text;--> statement-breakpoint
-- Box instances with events on whose webhooks cannot become events, for want of webhooks or of a key, are polled
-- meanwhile (instances/configuration.ts); the slot is that of instances/schedule.ts.
UPDATE `instances` SET
	`interval` = CAST(COALESCE(json_extract(`configuration`, '$."event.poller.refresh_interval"'), '15') AS INTEGER),
	`slot` = ((`id` * 2654435761) % 4294967296) % CAST(COALESCE(json_extract(`configuration`, '$."event.poller.refresh_interval"'), '15') AS INTEGER)
WHERE `element_key` = 'box' AND `interval` IS NULL AND `valid` = 1 AND `disabled` = 0 AND `poller_disabled` IS NULL
	AND lower(json_extract(`configuration`, '$."event.notification.enabled"')) = 'true'
	AND json_extract(`configuration`, '$."event.vendor.type"') IS NULL
	AND (
		json_extract(`configuration`, '$."box.webhook.ids"') IS NULL
		OR (json_extract(`secrets`, '$."event.vendor.signature.key"') IS NULL AND json_extract(`secrets`, '$."event.vendor.signature.key.secondary"') IS NULL)
	);
