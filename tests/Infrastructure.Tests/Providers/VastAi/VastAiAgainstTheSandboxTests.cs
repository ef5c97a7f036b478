using System.Diagnostics;
using System.Net.Sockets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Tests.Shared;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

/// <summary>The whole port over HTTP against the real sandbox, which knows nothing of our client code.</summary>
public sealed partial class VastAiAgainstTheSandboxTests(SandboxFixture fixture) : IClassFixture<SandboxFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private SandboxProcess Sandbox => fixture.Sandbox;

    [Fact]
    public async Task A_machine_is_found_rented_seen_reached_read_and_destroyed()
    {
        await using var harness = new VastAiHarness();
        var market = Connect(harness);
        var label = LabelOf("life");
        var account = await market.GetAccountAsync(Ct);
        Assert.True(account.Credit > Money.Zero);

        var offers = await market.SearchAsync(new OfferQuery { DiskGb = 20, MaxRate = HourlyRate.FromUsd(1) }, Ct);
        Assert.True(offers.Count > 5);
        Assert.Equal(offers.OrderBy(offer => offer.Rate), offers);
        var offer = offers[0];

        var rented = Assert.IsType<RentResult.Rented>(await market.RentAsync(offer, LaunchOf(label), Ct));
        Assert.NotNull(rented.InstanceKey);
        var early = await market.GetAsync(rented.ContractId, Ct); // before the list shows it
        Assert.Equal((label, ObservedStatus.Provisioning), (early?.Label, early?.Status));
        Assert.Equal(new RentResult.OfferGone(), await market.RentAsync(offer, LaunchOf(LabelOf("late")), Ct));

        var (publicKey, privateKey) = await NewKeyAsync();
        await market.AttachSshKeyAsync(rented.ContractId, publicKey, Ct);
        ObservedInstance? running = null;
        await Eventually.HoldsAsync(
            async () => (running = (await market.ListAsync(Ct)).Instances.SingleOrDefault(instance => instance.ContractId == rented.ContractId)) is { Status: ObservedStatus.Running },
            "the list shows it running", ct: Ct);
        Assert.Equal((offer.GpuRate, offer.DiskRate, offer.GpuName), (running!.GpuRate, running.DiskRate, running.GpuName));
        Assert.NotNull(running.CreatedAt);
        Assert.NotEmpty(running.Routes);
        Assert.Equal(rented.ContractId, Assert.Single((await market.FindByLabelAsync(label, Ct)).Instances).ContractId);

        foreach (var route in running.Routes)
        {
            await Eventually.HoldsAsync(() => SignsInAsync(route, privateKey), $"the attached key opens the {route.Name} route", ct: Ct);
        }

        string? log = null;
        await Eventually.HoldsAsync(async () => (log = await market.ReadContainerLogAsync(rented.ContractId, 50, Ct))?.Contains("hello from onstart", StringComparison.Ordinal) is true, "the log comes", ct: Ct);
        Assert.NotNull(log);

        await market.StopAsync(rented.ContractId, Ct);
        await Eventually.HoldsAsync(async () => (await market.GetAsync(rented.ContractId, Ct))?.Status == ObservedStatus.Stopped, "it stops", ct: Ct);

        await market.DestroyAsync(rented.ContractId, Ct);
        await market.DestroyAsync(rented.ContractId, Ct);
        Assert.Null(await market.GetAsync(rented.ContractId, Ct));
        await Assert.ThrowsAsync<InstanceGoneException>(() => market.AttachSshKeyAsync(rented.ContractId, publicKey, Ct));
        Assert.Empty((await market.FindByLabelAsync(label, Ct)).Instances);

        await ChargesEqualTheTruthAsync(market, rented.ContractId, label);
        Assert.Equal(2, (await Sandbox.TruthAsync(Ct)).GetProperty("requests").EnumerateArray().Count(request =>
            request.GetProperty("method").GetString() == "PUT" && request.GetProperty("path").GetString() == $"/api/v0/asks/{offer.Id}/"));
    }

    [Fact]
    public async Task Every_filter_of_a_search_is_understood()
    {
        await using var harness = new VastAiHarness();
        var query = new OfferQuery
        {
            GpuNames = ["RTX 4090", "RTX 3090"], GpuCount = 1, MinVramMb = 20_000, DiskGb = 20, MinReliability = 0.9m, MinDownloadMbps = 50, MinCuda = 12.0m,
            MaxRate = HourlyRate.FromUsd(2), MinContract = TimeSpan.FromHours(1), Limit = 5,
        };

        var offers = await Connect(harness).SearchAsync(query, Ct);

        Assert.InRange(offers.Count, 1, 5);
        Assert.All(offers, offer => Assert.Contains(offer.GpuName, query.GpuNames));
    }

    [Fact]
    public async Task An_interruptible_search_shows_the_floor_of_bids()
    {
        await using var harness = new VastAiHarness();
        var market = Connect(harness);

        var floor = (await market.SearchAsync(new OfferQuery { DiskGb = 20, Rental = RentalType.Interruptible }, Ct))[0];
        var full = (await market.SearchAsync(new OfferQuery { DiskGb = 20 }, Ct))[0];

        Assert.True(floor.GpuRate < full.GpuRate);
    }

    [Fact]
    public async Task Unverified_hosts_come_only_when_asked_for()
    {
        await using var harness = new VastAiHarness();

        var offers = await Connect(harness).SearchAsync(new OfferQuery { DiskGb = 20, VerifiedOnly = false }, Ct);

        Assert.Contains(offers, offer => !offer.Verified);
    }

    [Fact]
    public async Task An_unknown_key_is_rejected()
    {
        await using var harness = new VastAiHarness();
        var market = harness.Marketplaces.For(VastAiHarness.MarketAt(Sandbox.BaseUrl), new Secret("wrong"));

        await Assert.ThrowsAsync<CredentialRejectedException>(() => market.GetAccountAsync(Ct));
        await Assert.ThrowsAsync<CredentialRejectedException>(() => market.ListAsync(Ct));
        Assert.IsType<RentResult.KeyRefused>(await market.RentAsync(Sample.AnOffer, Sample.Launch, Ct));
    }

    [Fact]
    public async Task A_machine_that_never_was_is_null_and_destroyed()
    {
        await using var harness = new VastAiHarness();

        Assert.Null(await Connect(harness).GetAsync("999999999", Ct));
        await Connect(harness).DestroyAsync("999999999", Ct);
    }

    private static async Task<(string Public, PrivateKeyFile Private)> NewKeyAsync()
    {
        var folder = Directory.CreateTempSubdirectory("connector-key-");
        try
        {
            var file = Path.Combine(folder.FullName, "key");
            var fetched = Path.Combine(Repository.Root, "data", "tools", "usr", "bin", "ssh-keygen");
            using var making = Process.Start(File.Exists(fetched) ? fetched : "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "connector", "-f", file]);
            await making.WaitForExitAsync(Ct);
            return ((await File.ReadAllTextAsync(file + ".pub", Ct)).Trim(), new PrivateKeyFile(file));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<bool> SignsInAsync(SshRoute route, PrivateKeyFile key)
    {
        using var client = new SshClient(new ConnectionInfo(route.Host, route.Port, "root", new PrivateKeyAuthenticationMethod("root", key)) { Timeout = TimeSpan.FromSeconds(5) });
        client.HostKeyReceived += (_, host) => host.CanTrust = true; // pins are the SSH session's business
        try
        {
            await client.ConnectAsync(Ct);
            using var whoami = client.RunCommand("echo $HOME");
            return whoami.Result.Trim() == "/root";
        }
        catch (Exception error) when (error is SshException or SocketException)
        {
            return false; // sshd and the key take some seconds
        }
    }

    private static LaunchSpec LaunchOf(string label) => new() { Label = label, Image = "pytorch/pytorch:2.4.0", DiskGb = 20, OnStart = "echo hello from onstart" };

    private static string LabelOf(string what) => $"connector-{what}-{Guid.NewGuid():N}";

    private IMarketplace Connect(VastAiHarness harness) => harness.Marketplaces.For(VastAiHarness.MarketAt(Sandbox.BaseUrl), new Secret(Sandbox.ApiKey));

    // The provider rounds each item to a tenth of a cent.
    private async Task ChargesEqualTheTruthAsync(IMarketplace market, string contractId, string label)
    {
        var truth = (await Sandbox.TruthAsync(Ct)).GetProperty("instances").EnumerateArray().Single(instance => instance.GetProperty("id").GetRawText() == contractId);
        var (gpu, disk) = (truth.GetProperty("bill").GetProperty("gpu").GetDecimal(), truth.GetProperty("bill").GetProperty("disk").GetDecimal());
        Assert.True(gpu > 0.01m);
        var now = TimeProvider.System.GetUtcNow();
        await Eventually.HoldsAsync(
            async () =>
            {
                var charges = (await market.GetChargesAsync(now.AddHours(-1), now.AddHours(1), Ct)).Where(charge => charge.ContractId == contractId).ToList();
                return charges.Count > 0 && charges.TrueForAll(charge => charge.Label == label)
                    && Math.Abs(Sum(charges, ChargeKind.Gpu) - gpu) <= 0.0006m && Math.Abs(Sum(charges, ChargeKind.Disk) - disk) <= 0.0006m;
            },
            "the charges equal the truth", ct: Ct);

        static decimal Sum(List<ProviderCharge> charges, ChargeKind kind) => charges.Where(charge => charge.Kind == kind).Sum(charge => charge.Amount.Usd);
    }
}
