using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Tests.Startup;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Connections;

[Collection(OneServerAtATime.Name)]
public sealed class ConnectionTests : IAsyncLifetime
{
    private const string Key = "canary-9f2c1d7e-vast-key-41ab";
    private KeyDesk _provider = null!;
    private RunningDashboard _dashboard = null!;
    private TeamContext _owner = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await KeyDesk.OpenAsync();
        _provider.Knows(Key);
        _dashboard = await RunningDashboard.OwnedAsync(("Providers:VastAi:BaseUrl", _provider.Address));
        _owner = await ContextAsync(Role.Owner);
    }

    public async ValueTask DisposeAsync()
    {
        await _dashboard.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task A_working_key_is_saved_encrypted_with_its_ending_and_balance()
    {
        var saved = Assert.IsType<ConnectionResult.Saved>(await AddAsync(Key));

        Assert.Equal("Signed in as lab-team · balance $48.12", saved.Message);
        var view = Assert.Single(await Use<ConnectionQueries>().ListAsync(_owner, Ct));
        Assert.Equal(("41ab", 48.12m, ConnectionStatus.Works), (view.KeyEnding, view.Credit!.Value.Usd, view.Status));
        await using var db = await _dashboard.Database.ForSystemAsync(Ct);
        Assert.DoesNotContain("canary", (await db.Connections.SingleAsync(Ct)).ProtectedKey, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_right_of_a_key_is_tried_and_kept_with_the_connection()
    {
        _provider.Withholds("billing_read");
        _provider.Withholds("instance_write");

        await AddAsync(Key);

        var rights = Assert.Single(await Use<ConnectionQueries>().ListAsync(_owner, Ct)).Rights;
        Assert.Equal(KeyRights.ReadAccount | KeyRights.SearchOffers | KeyRights.ReadMachines, rights.Granted);
        Assert.Equal(KeyRights.ControlMachines | KeyRights.ReadCharges, rights.Refused);
    }

    [Fact]
    public async Task A_connection_for_prices_only_rents_nothing_until_it_is_let()
    {
        var id = Assert.IsType<ConnectionResult.Saved>(await Use<AddConnection>().RunAsync(_owner, new NewConnection(Provider.VastAi, null, new Secret(Key)) { PricesOnly = true }, Ct)).Id;
        var request = new JobRequest { Name = "mine", Spec = new TrainingSpec { Preset = Presets.Smoke }, ConnectionId = id };

        Assert.Empty((await Use<NewJobQueries>().ChoicesAsync(_owner, Ct)).Connections);
        var refused = Assert.IsType<SubmitResult.Invalid>(await Use<SubmitJob>().RunAsync(_owner, request, Ct));
        Assert.Contains("for prices only", Assert.Single(refused.Problems).Message, StringComparison.Ordinal);

        await Use<ChooseUse>().RunAsync(_owner, id, pricesOnly: false, Ct);
        Assert.IsType<SubmitResult.Accepted>(await Use<SubmitJob>().RunAsync(_owner, request, Ct));
    }

    [Fact]
    public async Task A_refused_key_is_not_saved_and_says_what_to_do()
    {
        var refused = Assert.IsType<ConnectionResult.Refused>(await AddAsync("not-a-key-of-theirs"));

        Assert.Equal("Key", refused.Field);
        Assert.StartsWith("Vast.ai refuses this key: ", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await Use<ConnectionQueries>().ListAsync(_owner, Ct));
    }

    [Theory]
    [InlineData("two words of a key")]
    [InlineData("short")]
    [InlineData("line-one-of-key\nX-Injected: header")]
    public async Task What_cannot_be_a_key_is_refused_before_it_is_sent_anywhere(string key) =>
        Assert.Equal("Key", Assert.IsType<ConnectionResult.Refused>(await AddAsync(key)).Field);

    [Fact]
    public async Task A_key_is_never_sent_to_an_address_that_somebody_typed_in()
    {
        var refused = await Use<AddConnection>().RunAsync(_owner, new NewConnection(Provider.VastAi, null, new Secret(Key), "http://127.0.0.1:9/"), Ct);

        Assert.Equal("BaseUrl", Assert.IsType<ConnectionResult.Refused>(refused).Field);
    }

    [Fact]
    public async Task A_key_may_be_replaced_by_another_of_the_same_account_only()
    {
        _provider.Knows("second-key-of-the-same-9c02", account: 7);
        _provider.Knows("key-of-somebody-else-77aa", account: 8, name: "rivals");
        var id = Assert.IsType<ConnectionResult.Saved>(await AddAsync(Key)).Id;

        var foreign = await Use<ReplaceKey>().RunAsync(_owner, id, new Secret("key-of-somebody-else-77aa"), Ct);
        Assert.Contains("rivals", Assert.IsType<ConnectionResult.Refused>(foreign).Message, StringComparison.Ordinal);
        Assert.Equal("41ab", Assert.Single(await Use<ConnectionQueries>().ListAsync(_owner, Ct)).KeyEnding);

        Assert.IsType<ConnectionResult.Saved>(await Use<ReplaceKey>().RunAsync(_owner, id, new Secret("second-key-of-the-same-9c02"), Ct));
        Assert.Equal("9c02", Assert.Single(await Use<ConnectionQueries>().ListAsync(_owner, Ct)).KeyEnding);
    }

    [Fact]
    public async Task A_connection_whose_machine_may_bill_is_not_removed_and_names_the_machine()
    {
        var id = Assert.IsType<ConnectionResult.Saved>(await AddAsync(Key)).Id;
        await using (var db = await _dashboard.Database.ForSystemAsync(Ct))
        {
            var team = await db.Teams.SingleAsync(Ct);
            var seed = new TeamSeed(db, team, _owner.UserId.Value, team.CreatedAt);
            var job = seed.Job(await db.Connections.SingleAsync(Ct), "running", JobStatus.Running);
            seed.Instance(job, seed.Attempt(job), InstanceStatus.Running);
            await db.SaveChangesAsync(Ct);
        }

        var refused = Assert.IsType<ConnectionResult.InUse>(await Use<RemoveConnection>().RunAsync(_owner, id, Ct));
        Assert.Contains("RTX 4090 18244", refused.Message, StringComparison.Ordinal);
        Assert.Single(await Use<ConnectionQueries>().ListAsync(_owner, Ct));
    }

    [Fact]
    public async Task A_removed_connection_keeps_no_key()
    {
        var id = Assert.IsType<ConnectionResult.Saved>(await AddAsync(Key)).Id;

        Assert.IsType<ConnectionResult.Saved>(await Use<RemoveConnection>().RunAsync(_owner, id, Ct));

        Assert.Empty(await Use<ConnectionQueries>().ListAsync(_owner, Ct));
        await using var db = await _dashboard.Database.ForSystemAsync(Ct);
        Assert.Equal("", (await db.Connections.SingleAsync(Ct)).ProtectedKey);
    }

    [Fact]
    public async Task A_viewer_is_refused_by_every_use_case_that_changes_something()
    {
        var viewer = await ContextAsync(Role.Viewer);
        var id = new ConnectionId(Guid.NewGuid());
        var secret = new Secret(Key);
        var request = new JobRequest { Name = "mine", Spec = new TrainingSpec { Preset = Presets.Smoke }, ConnectionId = id };

        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<AddConnection>().RunAsync(viewer, new NewConnection(Provider.VastAi, null, secret), Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<ReplaceKey>().RunAsync(viewer, id, secret, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<ChooseUse>().RunAsync(viewer, id, pricesOnly: true, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<PauseConnection>().RunAsync(viewer, id, paused: true, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<RemoveConnection>().RunAsync(viewer, id, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<TestConnection>().RunAsync(viewer, id, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<SubmitJob>().RunAsync(viewer, request, Ct));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Use<CancelJob>().RunAsync(viewer, 1, CancelMode.DestroyNow, Ct));
    }

    [Fact]
    public async Task A_viewer_sees_connections_without_balances()
    {
        await AddAsync(Key);

        Assert.Null(Assert.Single(await Use<ConnectionQueries>().ListAsync(await ContextAsync(Role.Viewer), Ct)).Credit);
    }

    private T Use<T>()
        where T : notnull => _dashboard.App.Services.GetRequiredService<T>();

    private Task<ConnectionResult> AddAsync(string key) => Use<AddConnection>().RunAsync(_owner, new NewConnection(Provider.VastAi, null, new Secret(key)), Ct);

    private async Task<TeamContext> ContextAsync(Role role)
    {
        await using var db = await _dashboard.Database.ForSystemAsync(Ct);
        var team = await db.Teams.AsNoTracking().SingleAsync(Ct);
        var membership = await db.Memberships.AsNoTracking().SingleAsync(Ct);
        membership.Role = role;
        return TeamContext.Of(team, membership);
    }
}
