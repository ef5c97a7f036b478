using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Dashboard.Infrastructure.Tests.Providers;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dashboard.Infrastructure.Tests.Notifications;

/// <summary>What is announced reaches every channel that asked for it: signed, retried, once, laid aside in the end, and never from a copy.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    private ChannelTown _town = null!;
    private ScriptedProvider _receiver = null!;

    private string Hook => $"{_receiver.BaseUrl}/services/T024BE7LH/x7Qq9sZ2vK4mP8aLr1Tb";

    private static string HookPath => "/services/T024BE7LH/x7Qq9sZ2vK4mP8aLr1Tb";

    public async ValueTask InitializeAsync()
    {
        _town = await ChannelTown.OpenAsync();
        _receiver = await ScriptedProvider.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _town.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_web_hook_says_what_happened_and_its_signature_is_the_one_that_another_program_computes()
    {
        _receiver.On("POST", HookPath, new Reply(200, "{}"));
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        var job = await _town.EndJobAsync();

        Assert.Equal(1, await _town.DispatchAsync());

        var got = Assert.Single(_receiver.Requests);
        var body = JsonDocument.Parse(got.Body).RootElement;
        Assert.Equal(
            ("support-bot #1 failed", "The script ended with 1. It cost $0.02.", "https://gpu.example.org/t/halden-lab/jobs/1", "job.ended", $"job.ended/{job.Id}/1"),
            (body.GetProperty("title").GetString(), body.GetProperty("detail").GetString(), body.GetProperty("link").GetString(), body.GetProperty("kind").GetString(), body.GetProperty("id").GetString()));
        Assert.Equal($"job.ended/{job.Id}/1", got.Headers["Dashboard-Delivery"]);
        Assert.Equal(_town.Now.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture), got.Headers["Dashboard-Timestamp"]);
        Assert.Equal(await SignedByPythonAsync(got.Headers["Dashboard-Timestamp"]!, got.Body), got.Headers["Dashboard-Signature"]);
        Assert.Equal("It answered 200 OK: {}", Assert.Single(await _town.DeliveriesAsync()).Answer);
    }

    [Fact]
    public async Task What_was_not_taken_is_sent_again_later_each_time_under_the_same_key()
    {
        _receiver.On("POST", HookPath, new Reply(503, "busy"), Reply.Reset, new Reply(200, "ok"));
        var channel = await _town.ChannelAsync(ChannelKind.Slack, Hook);
        await _town.EndJobAsync();

        Assert.Equal(0, await _town.DispatchAsync());
        Assert.Equal("It answered 503 Service Unavailable: busy", (await _town.ReadAsync(channel)).Problem);
        Assert.Equal(0, await _town.DispatchAsync()); // not before its time
        Assert.Single(_receiver.Requests);
        _town.Time.Advance(TimeSpan.FromSeconds(30));
        await _town.DispatchAsync();
        _town.Time.Advance(TimeSpan.FromSeconds(59));
        await _town.DispatchAsync();
        Assert.Equal(2, _receiver.Requests.Count);
        _town.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await _town.DispatchAsync());

        Assert.Single(_receiver.Requests.Select(r => r.Headers["Dashboard-Delivery"].ToString()).Distinct());
        Assert.Null((await _town.ReadAsync(channel)).Problem);
        _town.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, await _town.DispatchAsync());
        Assert.Equal(3, _receiver.Requests.Count);
    }

    [Fact]
    public async Task After_the_last_try_it_is_laid_aside_where_people_see_it()
    {
        _receiver.On("POST", HookPath, new Reply(500, ""));
        await _town.ChannelAsync(ChannelKind.Discord, Hook, name: "#gpu");
        await _town.EndJobAsync();
        for (var hour = 0; hour < 12; hour++)
        {
            await _town.DispatchAsync();
            _town.Time.Advance(TimeSpan.FromHours(1));
        }

        var dead = Assert.Single(await _town.DeliveriesAsync());
        Assert.Equal((DeliveryRules.MostTries, true, null), (dead.Tries, dead.DeadAt is not null, dead.SentAt));
        Assert.Equal(DeliveryRules.MostTries, _receiver.Requests.Count);
        await using var db = await _town.Database.ForSystemAsync(default);
        var item = Assert.Single(await db.Inbox.AsNoTracking().ToListAsync());
        Assert.Equal("#gpu did not take a message", item.Title);
        Assert.Contains("“support-bot #1 failed” was given up after 10 tries.", item.Detail.Full, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "It answered 404 Not Found: no_service")]
    [InlineData(302, "It answered 302 Found; redirects are not followed.")]
    public async Task An_answer_that_will_stay_the_same_is_not_asked_for_again(int status, string answer)
    {
        _receiver.On("POST", HookPath, new Reply(status, "no_service") { Location = status == 302 ? _receiver.BaseUrl + "/elsewhere" : null });
        await _town.ChannelAsync(ChannelKind.Teams, Hook);
        await _town.EndJobAsync();
        await _town.DispatchAsync();

        var dead = Assert.Single(await _town.DeliveriesAsync());
        Assert.Equal((1, true, answer), (dead.Tries, dead.DeadAt is not null, dead.Answer));
        Assert.Equal([HookPath], _receiver.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task An_address_inside_the_network_is_not_asked()
    {
        await using var closed = await ChannelTown.OpenAsync(("Egress:AllowedPrivateHosts:0", "somewhere.else"));
        await closed.ChannelAsync(ChannelKind.Slack, Hook.Replace("http://", "https://", StringComparison.Ordinal));
        await closed.EndJobAsync();
        await closed.DispatchAsync();

        Assert.Equal("127.0.0.1 has no public address.", Assert.Single(await closed.DeliveriesAsync()).Answer);
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task Many_dispatchers_at_once_send_each_message_once()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        await _town.ChannelAsync(ChannelKind.Slack, Hook);
        for (var n = 1; n <= 10; n++)
        {
            await _town.EndJobAsync(n);
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(_town.DispatchAsync)));
        await _town.DispatchAsync();

        Assert.Equal(20, _receiver.Requests.Count);
        Assert.Equal(20, (await _town.DeliveriesAsync()).Count(d => d.SentAt is not null));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public async Task A_server_that_dies_between_sending_and_writing_that_down_loses_nothing_and_repeats_under_the_same_key(int statement)
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        await _town.EndJobAsync();
        await new OutboxDispatcher(_town.Database, new ChangeFeed(), _town.Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);

        try
        {
            await DispatcherOn(new AppDatabase(new Contexts(await OptionsAsync(new Crash(statement))))).RunAsync(default);
        }
        catch (InvalidOperationException)
        {
            // the process has ended here
        }

        _town.Time.Advance(TimeSpan.FromMinutes(3)); // its lease runs out
        await _town.DispatchAsync();

        Assert.InRange(_receiver.Requests.Count, 1, 2);
        Assert.Single(_receiver.Requests.Select(r => r.Headers["Dashboard-Delivery"].ToString()).Distinct());
        Assert.NotNull(Assert.Single(await _town.DeliveriesAsync()).SentAt);
    }

    [Fact]
    public async Task A_start_gives_back_what_a_dead_process_had_in_hand()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        await _town.EndJobAsync();
        await new OutboxDispatcher(_town.Database, new ChangeFeed(), _town.Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        await _town.ChangeAsync(db => db.Deliveries.ExecuteUpdateAsync(set => set.SetProperty(d => d.LeaseUntil, _town.Now.AddMinutes(2))));
        Assert.Equal(0, await _town.DispatchAsync());

        await _town.Get<DatabaseStart>().RunAsync(default);

        Assert.Equal(1, await _town.DispatchAsync());
    }

    [Fact]
    public async Task A_channel_that_does_not_answer_holds_up_no_other_one()
    {
        _receiver.On("POST", HookPath, new Reply(200, "")).On("POST", "/down", new Reply(500, ""));
        await _town.ChannelAsync(ChannelKind.Slack, _receiver.BaseUrl + "/down");
        for (var n = 1; n <= 250; n++) // more than are looked at together
        {
            await _town.EndJobAsync(n);
        }

        await _town.DispatchAsync();
        Assert.Equal(1, _receiver.Count("POST", "/down"));
        await _town.ChannelAsync(ChannelKind.Slack, Hook);
        await _town.EndJobAsync(251);

        Assert.Equal(1, await _town.DispatchAsync());
    }

    [Fact]
    public async Task Quiet_hours_put_off_what_can_wait_and_nothing_that_is_urgent()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook, quiet: new QuietHours(8 * 60, 12 * 60, "UTC")); // it is nine
        await _town.EndJobAsync();
        await _town.TroubleAsync(InboxKinds.BalanceLow, $"balance/{Guid.NewGuid()}", critical: true);

        Assert.Equal(1, await _town.DispatchAsync());
        Assert.Contains("3 h of credit", Assert.Single(_receiver.Requests).Body, StringComparison.Ordinal);
        Assert.Equal((0, _town.Now.AddHours(3)), (await _town.DeliveriesAsync()).Where(d => d.SentAt is null).Select(d => (d.Tries, d.NextTryAt!.Value)).Single());

        _town.Time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(1, await _town.DispatchAsync());
    }

    [Fact]
    public async Task A_channel_is_told_of_its_topics_alone_and_of_the_same_trouble_once()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook, Topics.Trouble);
        var key = $"balance/{Guid.NewGuid()}";
        await _town.EndJobAsync();
        await _town.TroubleAsync(InboxKinds.BalanceLow, key);
        await _town.TroubleAsync(InboxKinds.BalanceLow, key); // the next look finds it again
        await _town.TroubleAsync(InboxKinds.JobEnded, "job/1"); // told as an ending
        Assert.Equal(1, await _town.DispatchAsync());

        _town.Time.Advance(TimeSpan.FromMinutes(1));
        await _town.TroubleAsync(InboxKinds.BalanceLow, key, critical: true); // it has become worse
        Assert.Equal(1, await _town.DispatchAsync());
        Assert.Equal([false, true], (await _town.DeliveriesAsync()).Select(d => d.Urgent));
    }

    [Fact]
    public async Task A_persons_own_channel_tells_of_their_own_jobs_and_of_what_their_role_may_see()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook, owner: _town.Mira);
        await _town.EndJobAsync(1);
        await _town.EndJobAsync(2, by: new(Guid.NewGuid()), name: "of somebody else");
        await _town.TroubleAsync(InboxKinds.BalanceLow, $"balance/{Guid.NewGuid()}");
        Assert.Equal(2, await _town.DispatchAsync());
        Assert.DoesNotContain(_receiver.Requests, r => r.Body.Contains("of somebody else", StringComparison.Ordinal));

        await _town.ChangeAsync(db => db.Memberships.ExecuteUpdateAsync(set => set.SetProperty(m => m.Role, Role.Viewer)));
        await _town.TroubleAsync(InboxKinds.BalanceLow, $"balance/{Guid.NewGuid()}"); // money
        await _town.TroubleAsync("unknown-machine", "unknown/1");
        Assert.Equal(1, await _town.DispatchAsync());
    }

    [Fact]
    public async Task An_ending_is_told_with_its_cost_to_the_team_s_channel_and_without_it_to_a_person_who_sees_no_money()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook);
        await _town.ChannelAsync(ChannelKind.Slack, Hook, owner: _town.Mira);
        await _town.ChangeAsync(db => db.Memberships.ExecuteUpdateAsync(set => set.SetProperty(m => m.Role, Role.Viewer)));
        await _town.EndJobAsync();

        Assert.Equal(2, await _town.DispatchAsync());
        Assert.Equal(["The script ended with 1.", "The script ended with 1. It cost $0.02."], (await _town.DeliveriesAsync()).Select(d => d.Detail).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Who_has_left_the_team_is_told_nothing_that_still_waited()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook, owner: _town.Mira, quiet: new QuietHours(8 * 60, 12 * 60, "UTC"));
        await _town.EndJobAsync();
        await _town.DispatchAsync();
        await _town.ChangeAsync(db => db.Memberships.ExecuteDeleteAsync());
        _town.Time.Advance(TimeSpan.FromHours(3));
        await _town.DispatchAsync();

        Assert.Empty(_receiver.Requests);
        Assert.Equal("Its owner has left the team.", Assert.Single(await _town.DeliveriesAsync()).Answer);
    }

    [Fact]
    public async Task A_copy_in_quarantine_sends_nothing_and_lays_aside_what_the_original_may_have_sent()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""));
        await _town.Get<InstallationIdentity>().OpenAsync(default);
        await _town.Get<Quarantine>().OpenAsync(default);
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        await _town.EndJobAsync(1);
        _town.Time.Advance(TimeSpan.FromMinutes(5));
        await _town.Get<Quarantine>().BeginAsync("The database file is a copy.", default);
        _town.Time.Advance(TimeSpan.FromMinutes(5));
        await _town.EndJobAsync(2);

        Assert.Equal(0, await _town.DispatchAsync());
        Assert.Empty(_receiver.Requests);

        await _town.Get<Quarantine>().ConfirmAsync(UnknownMachineChoice.Leave, default);
        Assert.Equal(1, await _town.DispatchAsync());
        Assert.Contains("support-bot #2", Assert.Single(_receiver.Requests).Body, StringComparison.Ordinal);
        Assert.StartsWith("Not sent: it is from before the quarantine", (await _town.DeliveriesAsync())[0].Answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_address_nor_secret_is_in_a_log_the_database_or_an_answer_whatever_goes_wrong()
    {
        _receiver.On("POST", HookPath, new Reply(400, $"no such hook: {HookPath}"), Reply.Reset, new Reply(200, $"signed with {ChannelTown.SigningSecret}"));
        await _town.ChannelAsync(ChannelKind.Webhook, Hook);
        await _town.ChannelAsync(ChannelKind.Slack, "http://127.0.0.1:1/services/T024BE7LH/x7Qq9sZ2vK4mP8aLr1Tb");
        for (var n = 1; n <= 3; n++)
        {
            await _town.EndJobAsync(n);
            await _town.DispatchAsync();
            _town.Time.Advance(TimeSpan.FromMinutes(2));
            await _town.DispatchAsync();
        }

        var deliveries = await _town.DeliveriesAsync();
        Assert.Contains(deliveries, d => d.SentAt is not null);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var written = string.Concat(Directory.GetFiles(Path.GetDirectoryName(_town.DatabasePath)!, "dashboard.db*").Select(file => Encoding.Latin1.GetString(File.ReadAllBytes(file))));
        foreach (var secret in new[] { "x7Qq9sZ2vK4mP8aLr1Tb", ChannelTown.SigningSecret })
        {
            Assert.DoesNotContain(_town.Log, line => line.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, written, StringComparison.Ordinal);
        }

        Assert.NotEmpty(_town.Log);
    }

    [Fact]
    public async Task What_was_sent_is_forgotten_after_30_days_and_what_was_not_stays()
    {
        _receiver.On("POST", HookPath, new Reply(200, ""), new Reply(404, ""));
        await _town.ChannelAsync(ChannelKind.Slack, Hook);
        await _town.EndJobAsync(1);
        await _town.DispatchAsync();
        await _town.EndJobAsync(2);
        await _town.DispatchAsync();

        _town.Time.Advance(TimeSpan.FromDays(29));
        await _town.Get<PruneDeliveries>().RunAsync(default);
        Assert.Equal(2, (await _town.DeliveriesAsync()).Count);
        _town.Time.Advance(TimeSpan.FromDays(2));
        await _town.Get<PruneDeliveries>().RunAsync(default);
        Assert.NotNull(Assert.Single(await _town.DeliveriesAsync()).DeadAt);
    }

    [Theory]
    [InlineData(ChannelKind.Slack, "*&lt;!channel&gt; *bold* @everyone #1 failed*")]
    [InlineData(ChannelKind.Discord, "<!channel\\> \\*bold\\* @everyone #1 failed")]
    [InlineData(ChannelKind.Teams, "<!channel\\> \\*bold\\* @everyone #1 failed")]
    public async Task What_people_call_their_jobs_is_text_in_a_chat_and_calls_nobody(ChannelKind kind, string title)
    {
        _receiver.On("POST", HookPath, new Reply(204, ""));
        await _town.ChannelAsync(kind, Hook);
        await _town.EndJobAsync(name: "<!channel> *bold* @everyone");
        await _town.DispatchAsync();

        var body = JsonDocument.Parse(Assert.Single(_receiver.Requests).Body).RootElement;
        switch (kind)
        {
            case ChannelKind.Slack:
                Assert.Equal(title, body.GetProperty("text").GetString()!.Split('\n')[0]);
                break;
            case ChannelKind.Discord:
                Assert.Equal(title, body.GetProperty("embeds")[0].GetProperty("title").GetString());
                Assert.Equal(0, body.GetProperty("allowed_mentions").GetProperty("parse").GetArrayLength());
                break;
            default:
                var card = body.GetProperty("attachments")[0].GetProperty("content");
                Assert.Equal(title, card.GetProperty("body")[0].GetProperty("text").GetString());
                Assert.Equal("https://gpu.example.org/t/halden-lab/jobs/1", card.GetProperty("actions")[0].GetProperty("url").GetString());
                break;
        }
    }

    /// <summary>HMAC-SHA256 of <c>timestamp.body</c> as a receiver would compute it.</summary>
    private static async Task<string> SignedByPythonAsync(string timestamp, string body)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", "import hmac, sys; print('v1=' + hmac.new(sys.argv[1].encode(), sys.argv[2].encode() + b'.' + sys.stdin.buffer.read(), 'sha256').hexdigest())", ChannelTown.SigningSecret, timestamp])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false,
        };
        using var python = Process.Start(start)!;
        await python.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(body));
        python.StandardInput.Close();
        return (await python.StandardOutput.ReadToEndAsync()).Trim();
    }

    private DeliveryDispatcher DispatcherOn(AppDatabase database) =>
        new(database, _town.Get<ChannelSender>(), _town.Get<ICredentialVault>(), _town.Get<RentBan>(), new ChangeFeed(), _town.Get<SiteAddress>(), _town.Time, NullLogger<DeliveryDispatcher>.Instance);

    private async Task<DbContextOptions<AppDbContext>> OptionsAsync(Crash crash)
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return new DbContextOptionsBuilder<AppDbContext>().UseDashboardSqlite(db.Database.GetConnectionString()!).AddInterceptors(crash).Options;
    }

    private sealed class Contexts(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public AppDbContext CreateDbContext() => new(options);
    }

    /// <summary>From the given statement on nothing reaches the database any more.</summary>
    private sealed class Crash(int statement) : DbCommandInterceptor
    {
        private int _seen;

        public override ValueTask<InterceptionResult<System.Data.Common.DbDataReader>> ReaderExecutingAsync(System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<System.Data.Common.DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Count();
            return new(result);
        }

        public override InterceptionResult<System.Data.Common.DbDataReader> ReaderExecuting(System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<System.Data.Common.DbDataReader> result)
        {
            Count();
            return result;
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Count();
            return new(result);
        }

        private void Count()
        {
            if (++_seen >= statement)
            {
                throw new InvalidOperationException("The server has died.");
            }
        }
    }
}
