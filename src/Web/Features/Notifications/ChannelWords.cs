using System.Globalization;
using Dashboard.Domain.Notifications;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Notifications;

/// <summary>What people call the parts of a channel.</summary>
internal static class ChannelWords
{
    public static IReadOnlyList<(Topics Topic, string Word, string What)> Topics { get; } =
    [
        (Domain.Notifications.Topics.Endings, "endings", "jobs that succeeded, failed, were stopped or are paused"),
        (Domain.Notifications.Topics.Budgets, "budgets", "limits that come near or were reached"),
        (Domain.Notifications.Topics.Prices, "prices", "price alerts that fire, and that are over"),
        (Domain.Notifications.Topics.Trouble, "trouble", "refused keys, machines that do not go, jobs that do not move, credit that ends"),
        (Domain.Notifications.Topics.Alerts, "alerts", "alert rules that fire, and that are over"),
        (Domain.Notifications.Topics.Approvals, "approvals", "jobs above somebody's limit that wait for a yes, and what was decided"),
    ];

    public static string Of(ChannelKind kind) => kind switch
    {
        ChannelKind.Email => "Mail",
        ChannelKind.Slack => "Slack",
        ChannelKind.Discord => "Discord",
        ChannelKind.Teams => "Microsoft Teams",
        ChannelKind.Webhook => "Web hook, signed",
    };

    /// <summary>Where the address is to be had.</summary>
    public static string Hint(ChannelKind kind) => kind switch
    {
        ChannelKind.Email => "One mailbox",
        ChannelKind.Slack => "An incoming web hook of Slack, Mattermost or Rocket.Chat",
        ChannelKind.Discord => "Channel settings, Integrations, Webhooks",
        ChannelKind.Teams => "A workflow “when a webhook request is received”",
        ChannelKind.Webhook => "Gets JSON, signed with the secret below",
    };

    /// <summary><c>endings, trouble</c>.</summary>
    public static string Of(Topics topics) =>
        topics == Domain.Notifications.Topics.None ? "nothing" : string.Join(", ", Topics.Where(t => (topics & t.Topic) != 0).Select(t => t.Word));

    public static string Of(QuietHours quiet) => $"quiet {Word(quiet.From)} to {Word(quiet.Until)}{(quiet.Zone == "UTC" ? " UTC" : $", {quiet.Zone}")}";

    public static TimeOnly Clock(int minutes) => TimeOnly.MinValue.AddMinutes(minutes);

    /// <summary>Since midnight; −1: none was entered.</summary>
    public static int Minutes(TimeOnly? clock) => clock is { } at ? (at.Hour * 60) + at.Minute : -1;

    public static StatusFace Face(ChannelView channel) => channel switch
    {
        { Paused: true } => new("off", Glyphs.PauseCircle, "Paused"),
        { Problem: not null } => new("bad", Glyphs.Dangerous, "Does not take messages"),
        { WorkedAt: null } => new("off", Glyphs.Pending, "Nothing sent yet"),
        _ => new("ok", Glyphs.CheckCircle, "Works"),
    };

    private static string Word(int minutes) => Clock(minutes).ToString("HH:mm", CultureInfo.InvariantCulture);
}
