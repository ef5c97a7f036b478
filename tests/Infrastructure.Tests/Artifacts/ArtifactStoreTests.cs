using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Dashboard.Domain;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Infrastructure.Tests.Ssh;

namespace Dashboard.Infrastructure.Tests.Artifacts;

public sealed class ArtifactStoreTests : OnAMachine
{
    private const long Plenty = 1_000_000_000;
    private readonly JobId _job = new(Guid.NewGuid());

    private ArtifactStore Store => new(new DataDirectory(Home), Transfer);

    [Fact]
    public async Task What_the_manifest_promises_comes_home_verified_and_the_adapter_can_be_checked()
    {
        await MakeAsync("adapter/adapter_config.json", Encoding.UTF8.GetBytes(Safetensors.Config));
        await MakeAsync("adapter/adapter_model.safetensors", Safetensors.Adapter());
        await ManifestAsync();
        await MakeAsync("notes.txt", "unpromised"u8.ToArray());
        var collected = await CollectAsync();
        Assert.Equal(
            [("adapter/adapter_config.json", true), ("adapter/adapter_model.safetensors", true), ("notes.txt", false)],
            collected.Files.Select(file => (file.Path, file.Verified)));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Safetensors.Adapter())), collected.Files[1].Sha256);
        Assert.Equal(collected.Files, await Store.ListAsync(_job, 1, Ct));
        Assert.IsType<AdapterVerdict.Good>(await Store.VerifyAdapterAsync(_job, 1, "adapter", Ct));
        Assert.Empty(await Store.ListAsync(_job, 2, Ct));
    }

    [Fact]
    public async Task A_file_that_is_not_what_the_manifest_promised_is_damaged_and_not_stored()
    {
        await MakeAsync("model.bin", [1, 2, 3]);
        await ManifestAsync();
        await MakeAsync("model.bin", [1, 2, 4]);
        await Assert.ThrowsAsync<TransferDamaged>(CollectAsync);
        Assert.Empty(await Store.ListAsync(_job, 1, Ct));
        Assert.Null(await Store.OpenAsync(_job, 1, "model.bin", Ct));
    }

    [Fact]
    public async Task A_promised_file_that_is_not_there_is_missing_and_a_link_is_refused()
    {
        await MakeAsync("model.bin", [1]);
        await ManifestAsync();
        File.Delete(OnDisk("out/model.bin"));
        File.CreateSymbolicLink(OnDisk("out/model.bin"), "/etc/passwd");
        var collected = await CollectAsync();
        Assert.Equal(["model.bin"], collected.Missing);
        Assert.Equal(1, collected.Refused);
        Assert.Empty(collected.Files);
    }

    [Fact]
    public async Task Verified_files_are_not_fetched_twice_and_changed_ones_are()
    {
        await MakeAsync("a", [1]);
        await MakeAsync("b", [1]);
        await ManifestAsync();
        await CollectAsync();
        var before = File.GetLastWriteTimeUtc(Path.Combine(Home, "artifacts", _job.ToString(), "attempt-1", "a"));
        await MakeAsync("b", [2]);
        await ManifestAsync();
        var again = await CollectAsync();
        Assert.Equal(before, File.GetLastWriteTimeUtc(Path.Combine(Home, "artifacts", _job.ToString(), "attempt-1", "a")));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([2])), again.Files[1].Sha256);
    }

    [Fact]
    public async Task A_machine_may_not_fill_our_disk()
    {
        await MakeAsync("big", new byte[2000]);
        await using var session = await OpenAsync();
        await Assert.ThrowsAsync<SshFlood>(() => Store.CollectAsync(session, OnDisk("out"), _job, 1, 1999, Ct));
    }

    [Fact]
    public async Task A_zip_streams_the_chosen_files()
    {
        await MakeAsync("adapter/a", [1, 2]);
        await MakeAsync("other", [3]);
        await CollectAsync();
        using var to = new MemoryStream();
        await Store.ZipAsync(_job, 1, file => file.Path.StartsWith("adapter/", StringComparison.Ordinal), to, Ct);
        await using var zip = new ZipArchive(to, ZipArchiveMode.Read);
        var entry = Assert.Single(zip.Entries);
        Assert.Equal(("adapter/a", 2), (entry.FullName, entry.Length));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("model.bin/../../x")]
    public async Task Only_listed_files_open(string path)
    {
        await MakeAsync("model.bin", [1]);
        await CollectAsync();
        Assert.Null(await Store.OpenAsync(_job, 1, path, Ct));
        await using var file = await Store.OpenAsync(_job, 1, "model.bin", Ct);
        Assert.Equal(1, file!.Length);
    }

    [Fact]
    public void A_manifest_line_that_is_none_promises_nothing()
    {
        var hash = new string('a', 64);
        var promised = ArtifactStore.Manifest(Encoding.UTF8.GetBytes($"{hash}  ./x y\n{hash} *bin\r\n{hash}  ../up\n{hash} z\nzz\n{hash.ToUpperInvariant()}  w\n"));
        Assert.Equal(["bin", "x y"], promised.Keys.Order());
    }

    [Fact]
    public async Task A_checkpoint_that_is_dropped_while_it_is_fetched_makes_way_for_the_newer_one_at_once()
    {
        await CheckpointAsync(10);
        await using var session = await OpenAsync();
        var slow = OnDisk("out/checkpoint-10/adapter.bin");
        File.Delete(slow);
        await session.ExecAsync($"mkfifo {Shell.Quote(slow)}", null, TimeSpan.FromSeconds(10), Ct);

        var fetching = Store.FetchCheckpointAsync(session, OnDisk("out"), _job, 1, after: null, Plenty, Ct);
        await using (await Task.Run(() => File.OpenWrite(slow), Ct)) // opens once the fetch reads it
        {
            await CheckpointAsync(20);
            Directory.Delete(OnDisk("out/checkpoint-10"), recursive: true);
        }

        var (step, files) = (await fetching)!.Value;
        Assert.Equal((20, 2), (step, files.Count));
        Assert.Equal(files.OrderBy(file => file.Path, StringComparer.Ordinal), await Store.ListAsync(_job, 1, Ct));
        Assert.Equal(["checkpoint-20"], Directory.GetDirectories(Path.Combine(Home, "artifacts", _job.ToString(), "attempt-1")).Select(Path.GetFileName));
    }

    private async Task CheckpointAsync(int step)
    {
        var bytes = Encoding.UTF8.GetBytes($"adapter of step {step}");
        await MakeAsync($"checkpoint-{step}/adapter.bin", bytes);
        await MakeAsync($"checkpoint-{step}/COMPLETE", Encoding.UTF8.GetBytes($$"""{"adapter.bin":{"sha256":"{{Convert.ToHexStringLower(SHA256.HashData(bytes))}}","size":{{bytes.Length}} } }"""));
    }

    private async Task MakeAsync(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(OnDisk("out/" + path))!);
        await File.WriteAllBytesAsync(OnDisk("out/" + path), bytes, Ct);
    }

    private async Task ManifestAsync()
    {
        await using var session = await OpenAsync();
        await session.ExecAsync($"cd {Shell.Quote(OnDisk("out"))} && find . -type f ! -name MANIFEST.sha256 -print0 | xargs -0 sha256sum > MANIFEST.sha256", null, TimeSpan.FromSeconds(10), Ct);
    }

    private async Task<Collected> CollectAsync()
    {
        await using var session = await OpenAsync();
        return await Store.CollectAsync(session, OnDisk("out"), _job, 1, Plenty, Ct);
    }
}
