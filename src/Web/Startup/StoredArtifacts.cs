using Dashboard.Domain;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Startup;

/// <summary>The pages' files are those of the store.</summary>
internal sealed class StoredArtifacts(ArtifactStore store) : IArtifactFiles
{
    public Task<Stream?> OpenAsync(JobId job, int attempt, string path, CancellationToken ct) => store.OpenAsync(job, attempt, path, ct);
}
