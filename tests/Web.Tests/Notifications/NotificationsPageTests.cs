using System.Security.Cryptography;
using System.Text;
using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Secrets;
using Dashboard.Web.Features.Notifications;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Web.Tests.Notifications;

public sealed class NotificationsPageTests : PageTest
{
    public NotificationsPageTests()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Egress:AllowedPrivateHosts:0"] = "127.0.0.1", ["Smtp:Host"] = "127.0.0.1", ["Smtp:From"] = "dashboard@example.org",
        }).Build();
        Services.AddSingleton<IConfiguration>(configuration).AddSingleton(new SiteAddress(new Uri("https://gpu.example.org"))).AddSingleton<RentBan>();
        Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        Services.AddMarketplaces(configuration).AddNotifications();
    }

    private ChangeChannels Channels => Services.GetRequiredService<ChangeChannels>();

    private static WantedChannel Slack(string address, bool mine = false) => new(mine, ChannelKind.Slack, "#gpu", new Secret(address), null, Topics.Endings, null);

    private async Task<T> ReadAsync<T>(Func<AppDbContext, Task<T>> read)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await read(db);
    }

    private Task EndJobAsync(int skip = 0) =>
        SeedAsync(seed =>
        {
            var job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot", JobStatus.Failed, skip: skip);
            seed.Add(new OutboxMessage { TeamId = Team.Id, Kind = OutboxKinds.JobEnded, DedupKey = $"job.ended/{job.Id}/1", Payload = $"{{\"job\":\"{job.Id}\"}}", At = Time.GetUtcNow() });
        });

    private async Task DispatchAsync()
    {
        await new OutboxDispatcher(Database, Feed, Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        await Services.GetRequiredService<DeliveryDispatcher>().RunAsync(default);
    }

    [Fact]
    public async Task A_channel_is_tried_on_the_form_saved_and_never_shows_its_address_again()
    {
        await using var receiver = await Receiver.StartAsync();
        var page = Show<NotificationsPage>();
        await page.Find("button[aria-label='New channel of the team']").ClickAsync(new());
        await page.Find("select").ChangeAsync(new() { Value = "Slack" });
        await page.Find("input[type=password]").ChangeAsync(new() { Value = receiver.Address });
        await page.FindAll("form button")[1].ClickAsync(new());
        page.WaitForAssertion(() => Assert.Equal("Sent. It answered 200 OK: ok", page.Find("form [role=status]").TextContent.Trim()));
        Assert.Contains("Test of Slack", Assert.Single(receiver.Posts).Body, StringComparison.Ordinal);

        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Contains("Slack", page.Find(".card-row").TextContent, StringComparison.Ordinal));
        Assert.DoesNotContain("x7Qq9sZ2vK4mP8a", page.Markup, StringComparison.Ordinal);
        Assert.Contains("…r1Tb", page.Markup, StringComparison.Ordinal);
        var row = await ReadAsync(db => db.Channels.AsNoTracking().SingleAsync());
        Assert.DoesNotContain("hooks", row.ProtectedAddress, StringComparison.Ordinal);
        await page.Find("button[aria-label='Change Slack']").ClickAsync(new());
        Assert.Empty(page.Find("input[type=password]").GetAttribute("value") ?? "");
    }

    [Fact]
    public async Task What_came_back_of_a_test_is_said_in_words()
    {
        await using var receiver = await Receiver.StartAsync();
        (receiver.Status, receiver.Says) = (404, "no_service");
        await Channels.AddAsync(Member, Slack(receiver.Address), default);

        var page = Show<NotificationsPage>();
        await page.Find("button[aria-label='Send a test to #gpu']").ClickAsync(new());

        page.WaitForAssertion(() => Assert.Equal("Not taken. It answered 404 Not Found: no_service", page.Find(".notice.bad").TextContent.Trim()));
    }

    [Fact]
    public async Task A_signing_secret_is_shown_once_and_signs_what_is_sent()
    {
        await using var receiver = await Receiver.StartAsync();
        var page = Show<NotificationsPage>();
        await page.Find("button[aria-label='New channel of the team']").ClickAsync(new());
        await page.Find("select").ChangeAsync(new() { Value = "Webhook" });
        var secret = page.Find("[aria-label='Signing secret']").TextContent;
        await page.Find("input[type=password]").ChangeAsync(new() { Value = receiver.Address });
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("button[aria-label^='Send a test to']")));
        Assert.DoesNotContain(secret, page.Markup, StringComparison.Ordinal);

        await page.Find("button[aria-label^='Send a test to']").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Single(receiver.Posts));
        var (body, headers) = receiver.Posts.Single();
        var signed = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{headers["Dashboard-Timestamp"]}.{body}")));
        Assert.Equal($"v1={signed}", headers["Dashboard-Signature"]);
        await page.Find("button[aria-label^='Change']").ClickAsync(new());
        Assert.Empty(page.FindAll("[aria-label='Signing secret']"));
    }

    [Fact]
    public async Task Bad_input_is_said_at_its_field_and_nothing_typed_is_lost()
    {
        var page = Show<NotificationsPage>();
        await page.Find("button[aria-label='New channel of your own']").ClickAsync(new());
        await page.Find("input[maxlength='60']").ChangeAsync(new() { Value = "my mailbox" });
        await page.Find("input[type=email]").ChangeAsync(new() { Value = "Mira <mira@example.org>" });
        foreach (var _ in Enumerable.Range(0, 4))
        {
            await page.Find(".choice input[checked]").ChangeAsync(new() { Value = false });
        }

        await page.Find("form").SubmitAsync();

        Assert.Equal(["Enter one mail address, for example mira@example.org.", "Choose at least one thing to be told of."], page.FindAll("form [role=alert]").Select(a => a.TextContent));
        Assert.Equal("my mailbox", page.Find("input[maxlength='60']").GetAttribute("value"));
        Assert.Equal("Mira <mira@example.org>", page.Find("input[type=email]").GetAttribute("value"));
        Assert.False(await ReadAsync(db => db.Channels.AnyAsync()));
    }

    [Theory]
    [InlineData("http://hooks.example.org/x")]
    [InlineData("ftp://hooks.example.org/x")]
    [InlineData("https://user:password@hooks.example.org/x")]
    [InlineData("hooks")]
    public async Task Only_https_addresses_are_web_hooks(string address) =>
        Assert.Equal("Address", Assert.Single(Assert.IsType<ChannelResult.Invalid>(await Channels.AddAsync(Member, Slack(address), default)).Problems).Field);

    [Fact]
    public async Task A_message_that_was_laid_aside_is_sent_again_from_the_page()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Status = 404;
        await Channels.AddAsync(Member, Slack(receiver.Address), default);
        await EndJobAsync();
        await DispatchAsync();
        var page = Show<NotificationsPage>();
        Assert.Contains("support-bot #201 failed", page.Find("[aria-labelledby=laid-aside]").TextContent, StringComparison.Ordinal);
        Assert.Contains("It answered 404 Not Found: ok", page.Find("[aria-labelledby=laid-aside]").TextContent, StringComparison.Ordinal);
        Assert.True(await ReadAsync(db => db.Inbox.AnyAsync(i => i.Kind == InboxKinds.ChannelFails && i.ResolvedAt == null)));

        receiver.Status = 200;
        await page.Find("button[aria-label='Send again: support-bot #201 failed']").ClickAsync(new());
        await DispatchAsync();

        page = Show<NotificationsPage>();
        Assert.Empty(page.FindAll("[aria-labelledby=laid-aside]"));
        Assert.Contains("support-bot #201 failed", page.Find("[aria-labelledby=latest]").TextContent, StringComparison.Ordinal);
        Assert.Equal(2, receiver.Posts.Count);
        Assert.Single(receiver.Posts.Select(p => p.Headers["Dashboard-Delivery"].ToString()).Distinct());
        Assert.False(await ReadAsync(db => db.Inbox.AnyAsync(i => i.Kind == InboxKinds.ChannelFails && i.ResolvedAt == null)));
    }

    [Fact]
    public async Task A_paused_channel_lays_aside_what_waits_and_is_told_nothing_new()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Status = 503;
        var id = Assert.IsType<ChannelResult.Saved>(await Channels.AddAsync(Member, Slack(receiver.Address), default)).Id;
        await EndJobAsync();
        await DispatchAsync();
        await Channels.PauseAsync(Member, id, true, default);
        await EndJobAsync(skip: 1);
        Time.Advance(TimeSpan.FromHours(1));
        await DispatchAsync();

        Assert.Single(receiver.Posts);
        var only = await ReadAsync(db => db.Deliveries.AsNoTracking().SingleAsync());
        Assert.Equal("Not sent: the channel was paused.", only.Answer);
        Assert.False(await Channels.SendAgainAsync(Member, only.Id, default));
    }

    [Fact]
    public async Task The_teams_channels_need_a_permission_and_somebody_elses_do_not_exist()
    {
        await using var receiver = await Receiver.StartAsync();
        var ofTeam = Assert.IsType<ChannelResult.Saved>(await Channels.AddAsync(Member, Slack(receiver.Address), default)).Id;
        var ofMira = Assert.IsType<ChannelResult.Saved>(await Channels.AddAsync(Member, Slack(receiver.Address, mine: true), default)).Id;
        ReadAs(Role.Member);
        var page = Show<NotificationsPage>();
        Assert.Empty(page.FindAll("button[aria-label='New channel of the team']"));
        Assert.Single(page.FindAll("button[aria-label='Remove #gpu']")); // one's own
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Channels.RemoveAsync(Member, ofTeam, default));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Channels.TestAsync(Member, Slack(receiver.Address), null, default));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Channels.TestAsync(Member, Slack(receiver.Address), ofTeam, default));

        var tomas = TeamContext.Of(Team, new Membership { TeamId = Team.Id, UserId = new UserId(Guid.NewGuid()), Role = Role.Owner, Since = Time.GetUtcNow() });
        Assert.IsType<ChannelResult.NotFound>(await Channels.RemoveAsync(tomas, ofMira, default));
        Assert.IsType<ChannelResult.NotFound>(await Channels.TestAsync(tomas, Slack(receiver.Address), ofMira, default));
        Assert.DoesNotContain((await Services.GetRequiredService<ChannelQueries>().ListAsync(tomas, default)).Team, c => c.Id == ofMira);
        Assert.Empty((await Services.GetRequiredService<ChannelQueries>().ListAsync(tomas, default)).Mine);

        var strangers = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Other", Slug = "other", CreatedAt = Time.GetUtcNow() };
        var stranger = TeamContext.Of(strangers, new Membership { TeamId = strangers.Id, UserId = new UserId(Person), Role = Role.Owner, Since = Time.GetUtcNow() });
        Assert.IsType<ChannelResult.NotFound>(await Channels.ChangeAsync(stranger, ofTeam, Slack(receiver.Address), default));
        Assert.Empty((await Services.GetRequiredService<ChannelQueries>().ListAsync(stranger, default)).Team);
    }

    [Fact]
    public async Task A_changed_channel_keeps_its_address_while_none_is_entered()
    {
        await using var receiver = await Receiver.StartAsync();
        var id = Assert.IsType<ChannelResult.Saved>(await Channels.AddAsync(Member, Slack(receiver.Address), default)).Id;
        var page = Show<NotificationsPage>();
        await page.Find("button[aria-label='Change #gpu']").ClickAsync(new());
        await page.Find("input[maxlength='60']").ChangeAsync(new() { Value = "#training" });
        await page.FindAll(".choice input[type=checkbox]")[^1].ChangeAsync(new() { Value = true });
        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Contains("#training", page.Find(".card-row").TextContent, StringComparison.Ordinal));
        Assert.Contains("quiet 22:00 to 07:00 UTC", page.Find(".card-row").TextContent, StringComparison.Ordinal);
        var row = await ReadAsync(db => db.Channels.AsNoTracking().SingleAsync());
        Assert.Equal(receiver.Address, Services.GetRequiredService<ICredentialVault>().Reveal(Team.Id, id, ChannelSecrets.Address, row.ProtectedAddress).Reveal());
    }
}
