using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>A machine shows up that wears our signed label and is in no row: the database has lost something.</summary>
[Collection(nameof(TroubledServerSandbox))]
public sealed class UnknownMachineTests(TroubledServerSandbox fixture)
{
    private static readonly TrainingSpec Short = new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("echo done > out.txt", ["out.txt"]) };
    private static readonly LifecycleOptions Often = new() { IdleInterval = TimeSpan.FromSeconds(0.5), QuietInterval = TimeSpan.FromSeconds(1), AbsenceProof = TimeSpan.FromSeconds(1), ProofWait = TimeSpan.FromSeconds(1) };

    private SandboxProcess Sandbox => fixture.Sandbox;

    [Fact]
    public async Task It_begins_the_quarantine_in_an_account_where_nothing_of_ours_runs_and_is_destroyed_on_a_persons_word_alone()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Often);
        var labels = host.Get<InstanceLabels>();
        var signed = labels.For(new InstanceId(Guid.CreateVersion7()));
        var forged = signed[..^1] + (signed[^1] == 'a' ? 'b' : 'a');
        var (unknown, foreign) = (await RentAsync(signed), await RentAsync(forged));

        await Eventually.HoldsAsync(() => host.Get<RentBan>().Quarantine is not null, "the quarantine begins");
        var job = await host.SubmitAsync(Short);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Message?.Full.Contains("confirmed this installation", StringComparison.Ordinal) == true, "the job says what it waits for");
        Assert.Equal([unknown], await UnknownAsync(host));
        Assert.False(await IsDestroyedAsync(unknown));

        // Left alone, it is still shown, and begins no second quarantine.
        Assert.True(await host.Get<Quarantine>().ConfirmAsync(UnknownMachineChoice.Leave, default));
        await host.EndsAsync(job, JobStatus.Succeeded);
        Assert.Null(host.Get<RentBan>().Quarantine);
        Assert.False(await IsDestroyedAsync(unknown));

        await using (var db = await host.Database.ForSystemAsync(default))
        {
            Assert.Single(db.Inbox, item => item.Kind == "unknown-machine" && item.ResolvedAt == null);
            await db.UnknownMachines.ExecuteUpdateAsync(set => set.SetProperty(m => m.Choice, UnknownMachineChoice.Destroy));
        }

        await Eventually.HoldsAsync(async () => await IsDestroyedAsync(unknown), "it is destroyed");
        await Eventually.HoldsAsync(async () => (await UnknownAsync(host)).Count == 0, "it is off the list");
        Assert.False(await IsDestroyedAsync(foreign));
    }

    private static async Task<IReadOnlyList<string>> UnknownAsync(LifecycleHost host)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.UnknownMachines.AsNoTracking().Where(m => m.GoneAt == null).Select(m => m.ContractId).ToListAsync();
    }

    /// <summary>Over the provider's own API, stopped: listed and billed, and no load for this computer.</summary>
    private async Task<string> RentAsync(string label)
    {
        using var http = new HttpClient { BaseAddress = new Uri(Sandbox.BaseUrl), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Sandbox.ApiKey) } };
        using var search = await http.PostAsJsonAsync("/api/v0/bundles/", new { num_gpus = new { eq = 1 }, order = new[] { new[] { "dph_total", "desc" } }, limit = 20 });
        foreach (var offer in JsonElement.Parse(await search.Content.ReadAsStringAsync()).GetProperty("offers").EnumerateArray())
        {
            using var rented = await http.PutAsJsonAsync($"/api/v0/asks/{offer.GetProperty("id")}/", new { client_id = "me", image = "debian:12", disk = 16, label, target_state = "stopped" });
            if (rented.IsSuccessStatusCode)
            {
                return JsonElement.Parse(await rented.Content.ReadAsStringAsync()).GetProperty("new_contract").ToString();
            }
        }

        throw new InvalidOperationException("No offer could be rented.");
    }

    private async Task<bool> IsDestroyedAsync(string contract) =>
        (await Sandbox.TruthWithoutLogAsync()).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").ToString() == contract).GetProperty("destroyed").ValueKind != JsonValueKind.Null;
}
