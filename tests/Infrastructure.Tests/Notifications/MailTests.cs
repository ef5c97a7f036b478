using System.Globalization;
using Dashboard.Domain.Notifications;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Notifications;

/// <summary>Mail as a real mail server takes it, puts it off or refuses it.</summary>
public sealed class MailTests
{
    private static Task<ChannelTown> TownAsync(MailServer server, params (string Key, string? Value)[] more) => ChannelTown.OpenAsync(
        [("Smtp:Host", "127.0.0.1"), ("Smtp:Port", server.Port.ToString(CultureInfo.InvariantCulture)), ("Smtp:Security", "None"), ("Smtp:From", "dashboard@example.org"), .. more]);

    [Fact]
    public async Task A_mail_says_what_happened_what_it_cost_and_where_to_look()
    {
        await using var server = await MailServer.StartAsync();
        await using var town = await TownAsync(server);
        await town.ChannelAsync(ChannelKind.Email, "mira@example.org");
        await town.EndJobAsync();

        Assert.Equal(1, await town.DispatchAsync());

        var mail = await server.TakenAsync();
        Assert.Equal(("dashboard@example.org", "mira@example.org"), (mail.From, Assert.Single(mail.To)));
        Assert.Contains("Subject: [Halden Lab] support-bot #1 failed", mail.Data, StringComparison.Ordinal);
        Assert.Contains("It cost $0.02.", mail.Data, StringComparison.Ordinal);
        Assert.Contains("https://gpu.example.org/t/halden-lab/jobs/1", mail.Data, StringComparison.Ordinal);
        Assert.Contains("Auto-Submitted: auto-generated", mail.Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_that_is_put_off_is_sent_again_with_the_same_id()
    {
        await using var server = await MailServer.StartAsync();
        await using var town = await TownAsync(server);
        await town.ChannelAsync(ChannelKind.Email, "mira@example.org");
        await server.AnswerAsync("451 come back later");
        await town.EndJobAsync();
        Assert.Equal(0, await town.DispatchAsync());
        Assert.Equal("The mail server refused it: 451 come back later", Assert.Single(await town.DeliveriesAsync()).Answer);

        town.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(1, await town.DispatchAsync());
        var first = IdOf(await server.TakenAsync());
        await town.ChangeAsync(db => db.Deliveries.ExecuteUpdateAsync(set => set.SetProperty(d => d.SentAt, (DateTimeOffset?)null))); // as if its end had not been written down
        town.Time.Advance(TimeSpan.FromMinutes(5));
        await town.DispatchAsync();
        Assert.Equal(first, IdOf(await server.TakenAsync()));
    }

    [Fact]
    public async Task A_mailbox_that_does_not_exist_is_not_asked_again()
    {
        await using var server = await MailServer.StartAsync();
        await using var town = await TownAsync(server);
        await town.ChannelAsync(ChannelKind.Email, "nobody@example.org");
        await server.AnswerAsync("550 no such user");
        await town.EndJobAsync();
        await town.DispatchAsync();

        Assert.NotNull(Assert.Single(await town.DeliveriesAsync()).DeadAt);
    }

    [Theory]
    [InlineData("the mail password", 1)]
    [InlineData("another one", 0)]
    public async Task The_site_signs_in_where_the_server_wants_it(string password, int sent)
    {
        await using var server = await MailServer.StartAsync(login: true);
        await using var town = await TownAsync(server, ("Smtp:UserName", "dashboard"), ("Smtp:Password", password));
        await town.ChannelAsync(ChannelKind.Email, "mira@example.org");
        await town.EndJobAsync();

        Assert.Equal(sent, await town.DispatchAsync());
        Assert.Equal(sent == 1 ? "dashboard" : null, sent == 1 ? (await server.TakenAsync()).Login : null);
        Assert.DoesNotContain(town.Log, line => line.Contains(password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_sent_unprotected_unless_the_site_says_so()
    {
        await using var server = await MailServer.StartAsync();
        await using var town = await TownAsync(server, ("Smtp:Security", "Auto"));
        await town.ChannelAsync(ChannelKind.Email, "mira@example.org");
        await town.EndJobAsync();

        Assert.Equal(0, await town.DispatchAsync());
        Assert.Equal("The mail server offers no protected connection that is trusted (Smtp:Security).", Assert.Single(await town.DeliveriesAsync()).Answer);
    }

    private static string IdOf(Mail mail) => mail.Data.Split("\r\n").Single(line => line.StartsWith("Message-Id:", StringComparison.OrdinalIgnoreCase));
}
